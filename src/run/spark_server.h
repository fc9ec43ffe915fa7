// The local Spark Connect server: one JVM for all builder jobs. Started on first use, kept warm, stopped when idle, replaced when
// it dies.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "run/job_files.h"
#include "run/lifecycle.h"
#include "run/run_context.h"

namespace lo::run {

// Lives on the strand.
class SparkServer : public std::enable_shared_from_this<SparkServer> {
 public:
  using Acquired = std::function<void(Result<SparkTarget>)>;

  // `died(why)` after an end that nobody asked for: what ran on it is lost.
  SparkServer(std::shared_ptr<RunContext> context, std::function<void(const std::string& why)> died);

  // Gives a target with a new session once the server accepts connections: at once when a cluster is configured. Each target that
  // was given keeps the server from being idle until release().
  void acquire(Acquired acquired);
  void release();

  // Whether what was begun on the target may still run there.
  bool is_up() const;

  void stop(std::function<void()> done);

 private:
  void start();
  void launch(int port);
  void guard();
  void try_connect();
  void became_ready();
  void on_exit(ExitStatus exit);
  void after_end(const std::string& why);
  void give(const Acquired& acquired);
  void fail_all(const std::string& why);
  void await_idle();
  void stop_idle();
  void kill_group();
  void publish();

  const std::shared_ptr<RunContext> context_;
  const std::function<void(const std::string&)> died_;
  Lifecycle lifecycle_;
  asio::steady_timer timer_;     // the next look at the port, the delay before a start, or the end of patience with a stop
  asio::steady_timer deadline_;  // of the start
  asio::steady_timer idle_;
  asio::ip::tcp::socket probe_;
  std::string secret_;
  int port_ = 0;
  pid_t pid_ = 0;
  UniqueFd guard_;               // closing it kills the JVM's group
  std::vector<Acquired> waiting_;
  int users_ = 0;
  bool idle_stop_ = false;       // it was told to end; the next user waits for the one after it
  bool stopping_ = false;
  std::function<void()> stopped_;
};

}  // namespace lo::run
