// What a step prints, on disk as it comes.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "catalog/records.h"

namespace lo::run {

// <data>/logs/<step>/<revision>-<attempt>.log. There is none while nothing has been printed.
std::filesystem::path log_path(const std::filesystem::path& data, catalog::RevisionKey key, int attempt);

// The line that stands for what is left out of a text.
std::string left_out_marker(std::int64_t bytes);

// The file grows by appending until `limit` bytes; beyond that only the last limit/2 bytes are remembered (in a file without a name), and
// finish() rewrites the log: first half, a line that tells how much is left out, last half. Several paths are hard links to one
// file: the members of a job share what it prints. Blocks on the disk; one thread at a time.
class LogWriter {
 public:
  LogWriter(std::vector<std::filesystem::path> paths, std::int64_t limit);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // After an error (a full disk) the rest is counted and dropped: a step does not stop because its log cannot grow.
  Status append(std::span<const char> text);
  Status finish();

 private:
  std::int64_t half() const { return limit_ / 2; }
  Status open();
  Status write_tail(std::span<const char> text);
  Status rewrite();
  Status link_others();

  const std::vector<std::filesystem::path> paths_;
  const std::int64_t limit_;
  UniqueFd file_;
  UniqueFd tail_;  // a ring of half() bytes: the byte number n lies at n % half()
  std::int64_t bytes_ = 0;
  bool broken_ = false;
};

}  // namespace lo::run
