#include "serve/backup.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/id.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "serve/backup_files.h"
#include "serve/backup_folder.h"
#include "serve/backup_needs.h"
#include "serve/catalog_place.h"
#include "serve/store_place.h"
#include "store/digest.h"
#include "store/files.h"
#include "store/store.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;

constexpr int kMostSnapshots = 10;
constexpr std::size_t kMostUnplaced = 250;
constexpr std::int64_t kMostUnplacedBytes = 64 << 20;
constexpr const char* kCatalogStem = "catalog-";

// Removes the entries of a folder that are not wanted. What cannot be removed now is tried again by the next backup.
void remove_but(const fs::path& folder, const auto& is_wanted) {
  std::error_code error;
  std::vector<fs::path> unwanted;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (!is_wanted(it->path().filename().string())) unwanted.push_back(it->path());
  for (const auto& path : unwanted) fs::remove_all(path, error);
}

Result<std::string> digest_of_whole(const fs::path& file) {
  LO_ASSIGN(auto folder, store::open_folder(file.parent_path()));
  LO_ASSIGN(auto fd, store::open_plain_file(folder.get(), file.filename().string()));
  return store::digest_of_file(fd.get(), file.string());
}

class Backup {
 public:
  Backup(const BackupOptions& options, BackupFolder folder) : options_(options), folder_(std::move(folder)) {}
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;
  ~Backup() {
    catalog_.reset();
    remove_unfinished();
  }

  Result<BackupSummary> run() {
    remove_unfinished();  // of one that was killed
    LO_TRY(make_folders(folder_.making()));
    for (int i = 0; i < kMostSnapshots; ++i) {
      LO_TRY(take_snapshot());
      LO_ASSIGN(auto missing, copy_all());
      if (missing.empty()) return complete();
      LO_TRY(check_vanished(missing));
    }
    return fail(Code::busy, fmt::format("steps of {} are deleted faster than they are copied: try again", options_.data.string()));
  }

 private:
  Status take_snapshot();
  Result<std::set<std::string>> copy_all();
  Result<bool> copy_object(const std::string& digest);
  Result<bool> copy_environment(const std::string& digest);
  Status copy_logs(const std::string& step);
  Status place_later(fs::path making, fs::path to, std::int64_t bytes);
  Status place_all();
  Status check_vanished(const std::set<std::string>& missing);
  Result<BackupSummary> complete();
  void remove_unneeded(const std::string& catalog_name) const;
  void remove_unfinished() const {
    std::error_code ignored;  // seen when something is to be made there
    fs::remove_all(folder_.making(), ignored);
  }
  fs::path copied_catalog() const { return folder_.making() / "catalog.sqlite"; }

  const BackupOptions& options_;
  const BackupFolder folder_;
  std::unique_ptr<catalog::Catalog> catalog_;  // the copy
  Needs needs_;
  Holders vanished_;  // from the snapshot before
  std::vector<std::pair<fs::path, fs::path>> unplaced_;  // from, to
  std::int64_t unplaced_bytes_ = 0;
  BackupSummary summary_;
};

Status Backup::take_snapshot() {
  catalog_.reset();
  std::error_code ignored;
  fs::remove(copied_catalog(), ignored);
  LO_TRY(catalog::copy_sqlite_catalog(options_.data / "catalog.sqlite", copied_catalog()));
  LO_ASSIGN(catalog_, catalog::open_sqlite_catalog(copied_catalog()));
  LO_ASSIGN(needs_, needs_of(*catalog_));
  return {};
}

// Gives the digests of what the snapshot refers to and the data folder does not have any more.
Result<std::set<std::string>> Backup::copy_all() {
  std::set<std::string> missing;
  std::size_t done = 0;
  summary_.bytes = 0;
  for (const auto& digest : needs_.objects) {
    options_.progress({.done = done++, .all = needs_.objects.size(), .bytes = summary_.bytes});
    LO_ASSIGN(auto is_there, copy_object(digest));
    if (!is_there) missing.insert(digest);
  }
  for (const auto& digest : needs_.environments) {
    LO_ASSIGN(auto is_there, copy_environment(digest));
    if (!is_there) missing.insert(digest);
  }
  for (const auto& step : needs_.logs) LO_TRY(copy_logs(step));
  LO_TRY(place_all());
  return missing;
}

// False when the store does not have it.
Result<bool> Backup::copy_object(const std::string& digest) {
  auto from = store::object_path(store_of(options_.data), digest);
  auto to = folder_.object(digest);
  auto bytes = stamp_of(from).bytes;
  summary_.bytes += std::max<std::int64_t>(0, bytes);
  if (bytes >= 0 && stamp_of(to).bytes == bytes) return true;
  auto making = folder_.making() / make_token();
  auto copied = copy_one(from, making);
  if (!copied && copied.error().code == Code::not_found) return false;
  if (!copied) return std::unexpected(std::move(copied).error());
  if (copied->digest != digest) {
    LO_ASSIGN(auto holders, holders_of(*catalog_, {digest}));
    return fail(Code::corrupt, fmt::format("what {} keeps in {} is damaged: its digest is {}. Delete the step, or make it again, then "
                                           "back up", quoted_names(holders), from.string(), copied->digest));
  }
  LO_TRY(place_later(making, to, bytes));
  ++summary_.copied;
  return true;
}

// False when it is not there. One that is in the backup already is whole, and its packages never change.
Result<bool> Backup::copy_environment(const std::string& digest) {
  auto to = folder_.path() / "environments" / digest;
  std::error_code error;
  if (fs::exists(to, error)) return true;
  auto making = folder_.making() / make_token();
  auto copied = copy_tree(options_.data / "environments" / digest, making);
  if (!copied && copied.error().code == Code::not_found) return false;
  LO_TRY(copied);
  LO_TRY(place_later(making, to, 0));
  return true;
}

// A log that grows is copied as far as it is. Those of steps that go meanwhile are passed over.
Status Backup::copy_logs(const std::string& step) {
  auto folder = folder_.path() / "logs" / step;
  std::error_code error;
  for (fs::directory_iterator it(options_.data / "logs" / step, error), end; !error && it != end; it.increment(error)) {
    auto to = folder / it->path().filename();
    auto stamp = stamp_of(it->path());
    if (stamp == Stamp{} || stamp == stamp_of(to)) continue;
    auto making = folder_.making() / make_token();
    auto copied = copy_one(it->path(), making);
    if (!copied && copied.error().code == Code::not_found) continue;
    LO_TRY(copied);
    LO_TRY(place_later(making, to, stamp.bytes));
  }
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  return fail_errno(fmt::format("cannot list the logs of step {}", step), error.value());
}

// A copy is on the disk before it has its name, because the next backup believes what it finds by its size. Many wait for the disk
// together: a thousand of 100 kB take 2 s, each alone 8 s.
Status Backup::place_later(fs::path making, fs::path to, std::int64_t bytes) {
  unplaced_.emplace_back(std::move(making), std::move(to));
  unplaced_bytes_ += bytes;
  return unplaced_.size() < kMostUnplaced && unplaced_bytes_ < kMostUnplacedBytes ? Status() : place_all();
}

Status Backup::place_all() {
  if (!unplaced_.empty()) LO_TRY(sync_disk_of(folder_.making()));
  for (const auto& [making, to] : unplaced_) {
    LO_TRY(make_folders(to.parent_path()));
    LO_TRY(rename_to(making, to));
  }
  unplaced_.clear();
  unplaced_bytes_ = 0;
  return {};
}

// What a revision lacks in two snapshots was not deleted with it between them.
Status Backup::check_vanished(const std::set<std::string>& missing) {
  LO_ASSIGN(auto holders, holders_of(*catalog_, missing));
  Holders lost;
  for (const auto& holder : holders)
    if (vanished_.contains(holder.first)) lost.insert(holder);
  vanished_ = std::move(holders);
  if (lost.empty()) return {};
  return fail(Code::corrupt, fmt::format("what {} should keep is missing from {}. Delete the step, then back up", quoted_names(lost),
                                         options_.data.string()));
}

Result<BackupSummary> Backup::complete() {
  catalog_.reset();
  auto name = fmt::format("{}{}.sqlite", kCatalogStem, make_token());
  LO_ASSIGN(auto digest, digest_of_whole(copied_catalog()));
  LO_TRY(rename_to(copied_catalog(), folder_.path() / name));
  LO_TRY(sync_disk_of(folder_.path()));  // the names
  summary_.steps = needs_.steps;
  summary_.objects = needs_.objects.size();
  LO_TRY(folder_.complete({.catalog = name,
                           .catalog_digest = digest,
                           .made = format_time(SystemClock().now()),
                           .origin = fs::absolute(options_.data).lexically_normal().string(),
                           .steps = summary_.steps,
                           .objects = summary_.objects,
                           .bytes = summary_.bytes}));
  remove_unneeded(name);
  return summary_;
}

void Backup::remove_unneeded(const std::string& catalog_name) const {
  remove_but(folder_.path(), [&](const std::string& name) { return !name.starts_with(kCatalogStem) || name == catalog_name; });
  remove_but(folder_.path() / "environments", [&](const std::string& name) { return needs_.environments.contains(name); });
  remove_but(folder_.path() / "logs", [&](const std::string& name) { return needs_.logs.contains(name); });
  std::error_code error;
  for (fs::directory_iterator it(folder_.path() / "store" / "objects", error), end; !error && it != end; it.increment(error))
    remove_but(it->path(), [&](const std::string& name) { return needs_.objects.contains(name); });
}

}  // namespace

Result<BackupSummary> make_backup(const BackupOptions& options) {
  LO_TRY(check_catalog_is_here(options.data));
  LO_TRY(check_store_is_a_folder(options.data));
  std::error_code error;  // before a folder is made for nothing
  if (!fs::exists(options.data / "catalog.sqlite", error))
    return fail(Code::not_found, fmt::format("{} is no data folder: it has no catalog.sqlite", options.data.string()));
  LO_ASSIGN(auto folder, BackupFolder::hold_for_writing(options.backup));
  return Backup(options, std::move(folder)).run();
}

}  // namespace lo::serve
