#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/data_folder.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "serve/backup.h"
#include "serve/backup_files.h"
#include "serve/backup_folder.h"
#include "serve/backup_needs.h"
#include "store/files.h"
#include "store/store.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLock = "orchestra.lock";   // DataFolder's
constexpr const char* kStaging = ".restoring";    // left by a restore that was killed
constexpr const char* kCatalog = "catalog.sqlite";

constexpr std::array kTrees{"store", "logs", "environments"};

// What lies in a data folder, but for what restoring itself leaves there.
Status check_empty(const fs::path& path) {
  std::error_code error;
  auto is_ours = [half = is_half_restored(path)](const fs::path& name) {
    return name == kLock || name == kStaging || (half && std::ranges::find(kTrees, name) != kTrees.end());
  };
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
    if (auto name = it->path().filename(); !is_ours(name))
      return fail(Code::conflict, fmt::format("the data folder {} is not empty, it holds {}: give a new one", path.string(), name.string()));
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  return fail_errno(fmt::format("cannot list {}", path.string()), error.value());
}

// A data folder in the making: held, so that no server takes it, and emptied with its owner unless it was put in order.
class NewDataFolder {
 public:
  static Result<std::unique_ptr<NewDataFolder>> hold(const fs::path& path) {
    std::error_code error;
    bool is_new = !fs::exists(path, error);
    if (!fs::exists(path / kLock, error)) LO_TRY(check_empty(path));  // somebody else's: nothing is touched
    LO_ASSIGN(auto held, DataFolder::hold(path));
    LO_TRY(check_empty(path));
    auto folder = std::make_unique<NewDataFolder>(std::move(held), is_new);
    for (const char* name : kTrees) fs::remove_all(path / name, error);  // of a restore that was killed
    fs::remove_all(folder->staging(), error);
    LO_TRY(make_folders(folder->staging()));
    return folder;
  }

  NewDataFolder(DataFolder held, bool is_new) : held_(std::move(held)), is_new_(is_new) {}
  NewDataFolder(const NewDataFolder&) = delete;
  NewDataFolder& operator=(const NewDataFolder&) = delete;
  ~NewDataFolder() {
    std::error_code ignored;
    if (in_order_) return;
    for (fs::directory_iterator it(held_.path(), ignored), end; !ignored && it != end; it.increment(ignored)) {
      std::error_code stays;
      fs::remove_all(it->path(), stays);
    }
    if (is_new_) fs::remove(held_.path(), ignored);
  }

  fs::path staging() const { return held_.path() / kStaging; }

  // The catalog last: without it the folder is no server's data.
  Status put_in_order() {
    LO_TRY(sync_disk_of(staging()));
    for (const char* name : kTrees) {
      std::error_code error;
      if (fs::exists(staging() / name, error)) LO_TRY(rename_to(staging() / name, held_.path() / name));
    }
    LO_TRY(store::sync_folder(held_.path()));
    LO_TRY(rename_to(staging() / kCatalog, held_.path() / kCatalog));
    LO_TRY(store::sync_folder(held_.path()));
    in_order_ = true;
    std::error_code ignored;
    fs::remove_all(staging(), ignored);
    return {};
  }

 private:
  DataFolder held_;
  bool is_new_;
  bool in_order_ = false;
};

class Restore {
 public:
  Restore(const BackupOptions& options, const BackupFolder& backup, fs::path folder)
      : options_(options), backup_(backup), folder_(std::move(folder)) {}

  Result<BackupSummary> run(const BackupRecord& record) {
    LO_TRY(copy_catalog(record));
    LO_ASSIGN(auto catalog, catalog::open_sqlite_catalog(folder_ / kCatalog));
    LO_ASSIGN(auto needs, needs_of(*catalog));
    LO_TRY(copy_objects(needs));
    LO_TRY(copy_trees("environments", needs.environments));
    LO_TRY(check_damage(*catalog));
    damaged_.clear();
    LO_TRY(copy_trees("logs", needs.logs));  // a step may have none
    summary_.steps = needs.steps;
    summary_.objects = needs.objects.size();
    return summary_;
  }

 private:
  Status copy_catalog(const BackupRecord& record) {
    auto copied = copy_one(backup_.path() / record.catalog, folder_ / kCatalog);
    if (copied && copied->digest == record.catalog_digest) return {};
    if (!copied && copied.error().code != Code::not_found) return std::unexpected(std::move(copied).error());
    return fail(Code::corrupt, fmt::format("the backup {} is damaged: its catalog {} is {}", backup_.path().string(), record.catalog,
                                           copied ? "not what was written" : "gone"));
  }

  Status copy_objects(const Needs& needs) {
    std::size_t done = 0;
    for (const auto& digest : needs.objects) {
      options_.progress({.done = done++, .all = needs.objects.size(), .bytes = summary_.bytes});
      LO_TRY(copy_object(digest));
    }
    return {};
  }

  Status copy_object(const std::string& digest) {
    auto to = store::object_path(folder_ / "store", digest);
    LO_TRY(make_folders(to.parent_path()));
    auto copied = copy_one(backup_.object(digest), to);
    if (!copied && copied.error().code != Code::not_found) return std::unexpected(std::move(copied).error());
    if (!copied || copied->digest != digest) {
      damaged_.insert(digest);
      return {};
    }
    ++summary_.copied;
    summary_.bytes += copied->bytes;
    return {};
  }

  Status copy_trees(const fs::path& kind, const std::set<std::string>& names) {
    LO_TRY(make_folders(folder_ / kind));
    for (const auto& name : names) {
      auto copied = copy_tree(backup_.path() / kind / name, folder_ / kind / name);
      if (!copied && copied.error().code != Code::not_found) return copied;
      if (!copied) damaged_.insert(name);
    }
    return {};
  }

  Status check_damage(catalog::Catalog& catalog) const {
    if (damaged_.empty()) return {};
    LO_ASSIGN(auto holders, holders_of(catalog, damaged_));
    return fail(Code::corrupt, fmt::format("the backup {} is damaged: what it has of {} is not what was written", backup_.path().string(),
                                           quoted_names(holders)));
  }

  const BackupOptions& options_;
  const BackupFolder& backup_;
  const fs::path folder_;
  std::set<std::string> damaged_;  // digests
  BackupSummary summary_;
};

}  // namespace

bool is_half_restored(const fs::path& data) {
  std::error_code error;
  return fs::exists(data / kStaging, error) && !fs::exists(data / kCatalog, error);
}

Result<BackupSummary> restore_backup(const BackupOptions& options) {
  LO_ASSIGN(auto backup, BackupFolder::hold_for_reading(options.backup));
  LO_ASSIGN(auto record, backup.record());
  LO_ASSIGN(auto data, NewDataFolder::hold(options.data));
  LO_ASSIGN(auto summary, Restore(options, backup, data->staging()).run(record));
  LO_TRY(data->put_in_order());
  return summary;
}

}  // namespace lo::serve
