// Waiting for what other processes do, by the kernel's notices. Each gives false when it did not happen in time.
#pragma once

#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "base/fd.h"

namespace lo::run {

inline constexpr int kPatienceMs = 240'000;  // beyond what ctest has: it is ctest that tells a hang

inline bool wait_for_readable(int fd) {
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, kPatienceMs) == 1;
}

// Of any process: true at once when there is none of this number.
inline bool wait_for_death(int pid) {
  UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return process ? wait_for_readable(process.get()) : errno == ESRCH;
}

// Until there is something of this name; its folder exists.
inline bool wait_for_path(const std::filesystem::path& path) {
  UniqueFd news(::inotify_init1(IN_CLOEXEC));
  if (!news || ::inotify_add_watch(news.get(), path.parent_path().c_str(), IN_CREATE | IN_MOVED_TO) < 0) return false;
  std::array<char, 4096> events{};
  while (!std::filesystem::exists(path))
    if (!wait_for_readable(news.get()) || ::read(news.get(), events.data(), events.size()) <= 0) return false;
  return true;
}

}  // namespace lo::run
