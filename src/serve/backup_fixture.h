// A data folder, its backups, and data folders made of them.
#pragma once

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "base/id.h"
#include "base/testing/temporary_folder.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "catalog/testing.h"
#include "serve/backup.h"
#include "store/store.h"

namespace lo::serve {

namespace fs = std::filesystem;

inline std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// A data folder as a server has it, with its catalog open and in use.
class BackupTest : public testing::Test {
 protected:
  BackupTest() : catalog_(*catalog::open_sqlite_catalog(data_ / "catalog.sqlite")), store_(*store::open_local_store(data_ / "store")) {}

  // A finished step that keeps `content` in the store. Gives its digest.
  std::string add(const std::string& name, const std::string& content, const json::object& facts = {}) {
    auto staging = *store_->stage(make_token());
    write(staging.path() / "content", content);
    auto manifest = *store_->publish(std::move(staging), {.kind = store::Kind::blob, .parts = {{.name = "content"}}});
    auto step = catalog::make_step(catalog_->next_step_id(), name);
    auto revision = catalog::make_revision({step.id, 1}, State::finished);
    revision.result = store::to_json(manifest);
    revision.facts = facts;
    EXPECT_TRUE(commit(*catalog_, {catalog::AddStep{step}, catalog::AddRevision{revision}}));
    store_->unpin(manifest);
    return manifest.parts[0].digest;
  }

  // As the server does it: from the catalog, then from the store.
  void remove(const std::string& name) {
    auto step = catalog_->find_step(name)->value();
    EXPECT_TRUE(commit(*catalog_, {catalog::RemoveStep{step.id}}));
    auto garbage = *catalog_->garbage();
    for (const auto& digest : garbage) EXPECT_TRUE(store_->remove(digest));
  }

  fs::path log_of(const std::string& name) {
    return fs::path("logs") / std::to_string(catalog_->find_step(name)->value().id) / "1-1.log";
  }
  fs::path in_backup(const std::string& digest) const { return store::object_path(backup_ / "store", digest); }
  fs::path in_data(const std::string& digest) const { return store::object_path(data_ / "store", digest); }
  static void damage(const fs::path& path) {
    fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary) << "#";  // the same size
  }

  Result<BackupSummary> back_up(std::function<void(const BackupProgress&)> progress = [](const auto&) {}) {
    return make_backup({.backup = backup_, .data = data_, .progress = std::move(progress)});
  }
  Result<BackupSummary> restore() { return restore_backup({.backup = backup_, .data = restored_}); }
  std::vector<std::string> restored_steps() {
    std::vector<std::string> names;
    auto catalog = *catalog::open_sqlite_catalog(restored_ / "catalog.sqlite");
    auto steps = *catalog->all_steps();
    for (const auto& step : steps) names.push_back(step.name);
    return names;
  }
  std::string backup_error() {
    auto summary = back_up();
    return summary ? "no error" : summary.error().message;
  }
  std::string restore_error() {
    auto summary = restore();
    return summary ? "no error" : summary.error().message;
  }

  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
  const fs::path backup_ = folder_ / "backup";
  const fs::path restored_ = folder_ / "restored";
  const fs::path data_ = [this] {
    fs::create_directory(folder_ / "data");
    return folder_ / "data";
  }();
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace lo::serve
