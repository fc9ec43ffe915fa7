#include "run/old_logs.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "run/log_writer.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

// "<revision>-<attempt>.log", as log_path() has it.
std::optional<int> revision_of(const fs::path& file) {
  auto stem = file.stem().string();
  auto dash = stem.find('-');
  if (file.extension() != ".log" || dash == std::string::npos || !parse_number<int>(std::string_view(stem).substr(dash + 1))) return std::nullopt;
  return parse_number<int>(std::string_view(stem).substr(0, dash));
}

std::vector<LogFile> logs_of(catalog::StepId step, const fs::path& folder) {
  std::vector<LogFile> logs;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    auto revision = revision_of(it->path());
    struct stat status {};
    if (!revision || ::lstat(it->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    auto share = status.st_size / std::max<std::int64_t>(1, static_cast<std::int64_t>(status.st_nlink));
    logs.push_back({.path = it->path(), .key = {.step = step, .revision = *revision}, .bytes = share, .modified = it->last_write_time(error)});
  }
  return logs;
}

}  // namespace

std::vector<LogFile> logs_to_remove(std::vector<LogFile> logs, const std::function<Owner(catalog::RevisionKey)>& owner, const LogRules& rules,
                                    FileTime now) {
  std::ranges::sort(logs, std::greater{}, &LogFile::modified);  // the newest are kept
  std::vector<LogFile> out;
  std::int64_t kept = 0;
  for (auto& log : logs) {
    auto becomes = owner(log.key);
    auto too_old = rules.age && now - log.modified > *rules.age;
    auto too_many = rules.bytes && kept + log.bytes > *rules.bytes;
    if (becomes == Owner::gone || (becomes == Owner::ended && (too_old || too_many)))
      out.push_back(std::move(log));
    else
      kept += log.bytes;
  }
  return out;
}

Result<RemovedLogs> remove_old_logs(const fs::path& data, const LogRules& rules, const RevisionsOf& revisions_of, bool dry_run) {
  std::vector<LogFile> logs;
  std::map<catalog::StepId, std::map<int, bool>> known;
  std::error_code error;
  for (fs::directory_iterator it(data / "logs", error), end; !error && it != end; it.increment(error)) {
    auto step = parse_number<catalog::StepId>(it->path().filename().string());
    if (!step) continue;
    std::ranges::move(logs_of(*step, it->path()), std::back_inserter(logs));
    LO_ASSIGN(known[*step], revisions_of(*step));
  }
  auto owner = [&](catalog::RevisionKey key) {
    const auto& revisions = known.at(key.step);
    auto at = revisions.find(key.revision);
    if (at == revisions.end()) return Owner::gone;
    return at->second ? Owner::ended : Owner::open;
  };
  RemovedLogs removed;
  for (const auto& log : logs_to_remove(std::move(logs), owner, rules, FileTime::clock::now())) {
    if (!dry_run && !fs::remove(log.path, error)) continue;
    ++removed.count;
    removed.bytes += log.bytes;
    if (!dry_run && known.at(log.key.step).empty()) fs::remove(log.path.parent_path(), error);  // once it is empty
  }
  return removed;
}

}  // namespace lo::run
