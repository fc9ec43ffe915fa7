// Ctrl-C and SIGTERM as a descriptor that becomes readable, so that every wait can end with them.
#pragma once

#include "base/error.h"
#include "base/fd.h"

namespace lo::cli {

class Interrupt {
 public:
  // Blocks both signals in the calling thread, which must be the only one. They stay blocked. Processes started later must
  // unblock them for themselves.
  static Result<Interrupt> listen();

  int fd() const { return fd_.get(); }  // readable from the first signal on: it is never read
  bool happened() const;

 private:
  explicit Interrupt(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace lo::cli
