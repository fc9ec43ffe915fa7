#include "cli/interrupt.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>

namespace lo::cli {

Result<Interrupt> Interrupt::listen() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) return fail_errno("cannot block signals", error);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("cannot listen to signals", errno);
  return Interrupt(std::move(fd));
}

bool Interrupt::happened() const {
  pollfd wait{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) == 1;
}

}  // namespace lo::cli
