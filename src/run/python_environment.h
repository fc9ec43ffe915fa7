// A Python environment that is made when a step first needs it: set-up's own command does that, beside the server.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "run/run_context.h"

namespace lo::run {

// Lives on the strand.
class PythonEnvironment : public std::enable_shared_from_this<PythonEnvironment> {
 public:
  struct Options {
    std::string name;               // "tensorflow"
    std::filesystem::path python;   // its interpreter, if there is one already; "" otherwise
    std::filesystem::path set_up;   // the `orchestra` script: `<set_up> environment <name>` makes it
    std::filesystem::path made;     // where the interpreter is then
  };
  using Ready = std::function<void(Result<std::filesystem::path> python)>;

  PythonEnvironment(std::shared_ptr<RunContext> context, Options options);

  // Calls back with the interpreter, at once when there is one; else it is made first, which takes minutes. Code::unavailable says where
  // to read why it could not be made; the next call tries again.
  void acquire(Ready ready);

  bool is_being_made() const { return pid_ != 0; }

  // Ends what is being made: whoever waits is told so.
  void stop();

 private:
  void make();
  void on_exit(const ExitStatus& exit);
  void answer(const Result<std::filesystem::path>& python);
  std::filesystem::path log() const;

  const std::shared_ptr<RunContext> context_;
  Options options_;
  pid_t pid_ = 0;  // of the set-up, 0 = none
  std::deque<Ready> waiting_;
};

}  // namespace lo::run
