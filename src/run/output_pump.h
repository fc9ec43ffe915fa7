// Carries what a step prints from its pipe into its log, as fast as it comes.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "base/fd.h"
#include "run/log_writer.h"
#include "run/message_ends.h"
#include "run/run_context.h"

namespace lo::run {

struct OutputPipe {
  UniqueFd ours;    // non-blocking
  UniqueFd theirs;  // for the step
};

Result<OutputPipe> make_output_pipe();

// Lives on the strand; the log is written on the pool, one piece at a time.
class OutputPump : public std::enable_shared_from_this<OutputPump> {
 public:
  // On the strand, `grown` is called after each piece that was written, `done` once, when the pipe is at its end and the log is complete.
  OutputPump(std::shared_ptr<RunContext> context, UniqueFd pipe, std::unique_ptr<LogWriter> log, std::function<void()> grown, std::function<void()> done);

  void start();

  // Reads for so long at most: somebody may still hold the other end, and whatever it prints then is not read.
  void finish(std::chrono::milliseconds patience);

  // Reads no more; `done` is not called.
  void abandon();

  std::string message() const { return ends_.text(); }  // functionMessage, of what has come so far

 private:
  void await_output();
  void drain();
  void written(std::vector<char> buffer);
  void end();
  void complete();

  const std::shared_ptr<RunContext> context_;
  asio::posix::stream_descriptor pipe_;
  const std::shared_ptr<LogWriter> log_;  // touched on the pool while busy_, else here
  const std::function<void()> grown_;
  asio::steady_timer patience_;
  std::function<void()> done_;
  MessageEnds ends_;
  std::vector<char> buffer_;
  bool busy_ = false;     // a piece is being written
  bool ended_ = false;    // nothing more is read
};

}  // namespace lo::run
