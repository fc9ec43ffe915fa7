// Files that may change while the server runs: read again when they have.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/error.h"

namespace lo::serve {

// One thread at a time.
class RereadFiles {
 public:
  // They are as `reread` would find them now. `what` is what the log calls them; `reread` changes nothing where it fails.
  RereadFiles(std::string what, std::vector<std::filesystem::path> files, std::function<Status()> reread);

  // Has them read again where one has changed since, or has come or gone. What fails is logged, once for each change. Blocks.
  void check();

 private:
  struct Stamp {
    ino_t inode = 0;
    off_t size = -1;  // there is no such file
    timespec modified{};
    bool operator==(const Stamp& other) const;
  };
  static Stamp stamp_of(const std::filesystem::path& file);
  std::vector<Stamp> stamps() const;

  std::string what_;
  std::vector<std::filesystem::path> files_;
  std::function<Status()> reread_;
  std::vector<Stamp> seen_;
};

// Checks all every second, on the pool, which outlives it, until the I/O threads stop.
Awaitable<void> reread_at_intervals(std::vector<RereadFiles> all, BlockingPool& pool);

}  // namespace lo::serve
