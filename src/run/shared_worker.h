// A warm process that runs one job after the other, all of one owner: `isolation: "shared"`. A keeper and a host (PROTOCOL.md), and the lane that leads
// to the host directly.
#pragma once

#include <optional>

#include "run/fork_server.h"
#include "run/job_process.h"
#include "run/keeper_link.h"

namespace lo::run {

// Lives on the strand.
class SharedWorker : public std::enable_shared_from_this<SharedWorker> {
 public:
  struct Options {
    std::string token;  // names its keeper
    std::optional<std::int64_t> memory_bytes;
    std::function<void()> idle;   // it has done a job and waits for the next
    std::function<void()> ended;  // once: it takes no more jobs
    std::function<void()> gone;   // once, after ended: nothing of it is left
  };

  SharedWorker(std::shared_ptr<RunContext> context, std::shared_ptr<ForkServer> server, Options options);

  void begin();  // has it forked

  // One job at a time. Queued until there is a process.
  void run(json::object work, UniqueFd output, ProcessHandlers handlers);

  // The job in hand is not told of anything any more.
  void forget_job() { job_.reset(); }

  bool left_job_unread() const { return left_job_unread_; }  // it ended before it had read the last job, which ran nothing

  JobCgroup group() const { return link_ ? link_->group() : JobCgroup(); }

  // Takes the job in hand back from a process that is not there yet, and ends; false when there is one.
  bool take_back();

  void stop(std::chrono::milliseconds grace);  // the whole process, with the job in hand
  void kill();
  void dismiss();  // one that is idle: it ends by itself

  bool started() const { return link_ && link_->started(); }
  bool is_starting() const { return lane_ && !ended_ && !started(); }
  pid_t keeper() const { return link_ ? link_->keeper() : 0; }

 private:
  struct Job {
    json::object work;
    UniqueFd output;
    ProcessHandlers handlers;
    bool sent = false;
  };

  Status launch();
  void send_job();
  void on_lane(const json::object& message);
  void job_ended(const json::object& message);
  void finish_job(JobEnd end);
  void exited(JobEnd end);
  void refuse(const std::string& why);
  void set_ended();
  void end(JobCgroup left);

  const std::shared_ptr<RunContext> context_;
  const std::shared_ptr<ForkServer> server_;
  Options options_;
  std::shared_ptr<KeeperLink> link_;
  std::shared_ptr<PacketChannel> lane_;
  std::optional<Job> job_;
  bool ended_ = false;
  bool was_lost_ = false;
  bool left_job_unread_ = false;
  std::string why_;  // it could not be started
};

}  // namespace lo::run
