// Which logs of attempts go, and their going.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "catalog/records.h"

namespace lo::run {

using FileTime = std::filesystem::file_time_type;

struct LogFile {
  std::filesystem::path path;
  catalog::RevisionKey key;
  std::int64_t bytes = 0;  // its share of what it takes: the members of a job have one file under several names
  FileTime modified = {};
};

// A limit that is missing keeps all.
struct LogRules {
  std::optional<std::chrono::seconds> age = {};  // since the last line
  std::optional<std::int64_t> bytes = {};        // of all logs together: the oldest go first
};

// What has become of a log's revision.
enum class Owner { open, ended, gone };

// The logs of revisions that are gone, and of those that have ended what is beyond the rules. Pure.
std::vector<LogFile> logs_to_remove(std::vector<LogFile> logs, const std::function<Owner(catalog::RevisionKey)>& owner, const LogRules& rules,
                                    FileTime now);

// The revisions that a step has: whether each has ended. Empty when the step is gone.
using RevisionsOf = std::function<Result<std::map<int, bool>>(catalog::StepId)>;

struct RemovedLogs {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
};

// Removes the logs in the data folder that go; with `dry_run` only counts them. A file that is not a log stays. Blocks on the disk.
Result<RemovedLogs> remove_old_logs(const std::filesystem::path& data, const LogRules& rules, const RevisionsOf& revisions_of, bool dry_run);

}  // namespace lo::run
