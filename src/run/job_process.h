// The process that a job runs in, as the job sees it: one of its own (own_process.h), or one that it shares (shared_worker.h).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "run/run_context.h"
#include "run/verdict.h"

namespace lo::run {

// That a member has ended, as its process tells it.
struct MemberEnd {
  std::string member;
  json::object result;          // what result.json would say, with the parts' contents; empty when it is in the staging folder
  std::optional<JobEnd> usage;  // with the last member: nothing of the job is printed any more, and this is what it took
};

MemberEnd member_end_from(const json::object& message);

// What a process tells of its job; on the strand. Either refused, or: started, then progress and member_ended, exited, gone.
struct ProcessHandlers {
  std::function<void()> started;
  std::function<void(const std::string& member, json::object data)> progress;
  std::function<void(MemberEnd end)> member_ended;
  std::function<void(JobEnd end)> exited;  // once: nothing of the job runs any more, or its keeper vanished (end.lost)
  std::function<void()> gone;              // once, after exited: the job's files may go
  std::function<void(const std::string& why)> refused;
};

// Lives on the strand.
class JobProcess {
 public:
  virtual ~JobProcess() = default;

  // Once. `work` is {"token", "limits", and "step" or "step_file"} of PROTOCOL.md; what the job prints goes to `output`.
  virtual void launch(json::object work, UniqueFd output) = 0;

  // Takes back a launch that no process has seen; false when it is too late.
  virtual bool take_back() = 0;

  virtual void stop(std::chrono::milliseconds grace) = 0;
  virtual void stop_member(const std::string& member) = 0;
  virtual void kill() = 0;   // everything, without anybody's help
  virtual void close() = 0;  // no handler is called any more

  virtual bool started() const = 0;
  virtual pid_t keeper() const = 0;  // 0 = unknown, or gone
  virtual JobCgroup group() const = 0;  // the job's own, which its keeper made; empty: unknown, or none
};

using ProcessMaker = std::function<std::shared_ptr<JobProcess>(ProcessHandlers)>;

}  // namespace lo::run
