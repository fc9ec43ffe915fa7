#include "serve/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace lo::serve {

std::size_t raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  auto before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

std::size_t connections_within(std::size_t open_files) {
  constexpr std::size_t kOthers = 512, kFewest = 64, kMost = 65'536;
  return std::clamp(open_files - std::min(open_files, std::max(kOthers, open_files / 8)), kFewest, kMost);
}

}  // namespace lo::serve
