#include "serve/backup_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "serve/backup_files.h"
#include "store/files.h"
#include "store/store.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr const char* kRecord = "backup.json";
constexpr const char* kLock = "backup.lock";

Result<fs::path> full_path(const fs::path& given) {
  std::error_code error;
  auto path = fs::absolute(given, error).lexically_normal();
  if (error) return fail_errno(fmt::format("cannot use {}", given.string()), error.value());
  return path.has_filename() ? path : path.parent_path();  // "backup/" as "backup"
}

// Whatever else lies there would be at risk: what a new backup does not need is removed.
Status check_ours(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path / kLock, error) || fs::is_empty(path, error)) return {};
  if (error) return fail_errno(fmt::format("cannot list {}", path.string()), error.value());
  return fail(Code::conflict, fmt::format("{} holds something else than a backup: give a new folder", path.string()));
}

Status lock(int fd, int how, const fs::path& path) {
  if (::flock(fd, how | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) return fail(Code::conflict, fmt::format("the backup {} is being written or read by another process", path.string()));
  return fail_errno(fmt::format("the backup {} cannot be locked", path.string()), errno);
}

json::object to_json(const BackupRecord& record) {
  return {{"version", kVersion},
          {"schema", catalog::kSchemaVersion},
          {"made", record.made},
          {"origin", record.origin},
          {"steps", record.steps},
          {"objects", record.objects},
          {"bytes", record.bytes},
          {"catalog", record.catalog},
          {"catalogDigest", record.catalog_digest}};
}

int number_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  boost::system::error_code error;
  auto number = value == nullptr ? 0 : value->to_number<int>(error);
  return error ? 0 : number;
}

Status check_versions(const BackupRecord& record, const fs::path& path) {
  auto newer = [&](std::string_view what, int has, int knows) {
    return fail(Code::unavailable, fmt::format("the backup {} has {} version {}, this program knows versions up to {}: use the newer program",
                                               path.string(), what, has, knows));
  };
  if (record.version > kVersion) return newer("format", record.version, kVersion);
  if (record.schema > catalog::kSchemaVersion) return newer("schema", record.schema, catalog::kSchemaVersion);
  return {};
}

}  // namespace

Result<BackupFolder> BackupFolder::hold_for_writing(const fs::path& given) {
  LO_ASSIGN(auto path, full_path(given));
  LO_TRY(make_folders(path));
  LO_TRY(check_ours(path));
  UniqueFd fd(::open((path / kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(fmt::format("the backup {} cannot be written", path.string()), errno);
  LO_TRY(lock(fd.get(), LOCK_EX, path));
  return BackupFolder(std::move(path), std::move(fd));
}

Result<BackupFolder> BackupFolder::hold_for_reading(const fs::path& given) {
  LO_ASSIGN(auto path, full_path(given));
  std::error_code error;
  if (!fs::is_directory(path, error)) return fail(Code::not_found, fmt::format("there is no backup {}", path.string()));
  UniqueFd fd(::open((path / kLock).c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) LO_TRY(lock(fd.get(), LOCK_SH, path));
  return BackupFolder(std::move(path), std::move(fd));
}

fs::path BackupFolder::object(std::string_view digest) const { return store::object_path(path_ / "store", digest); }

Status BackupFolder::complete(const BackupRecord& record) const {
  auto written = making() / kRecord;
  LO_TRY(write_synced(written, write_json(to_json(record)) + "\n"));
  LO_TRY(rename_to(written, path_ / kRecord));
  return store::sync_folder(path_);
}

Result<BackupRecord> BackupFolder::record() const {
  std::error_code error;
  if (!fs::exists(path_ / kRecord, error))
    return fail(Code::not_found, fmt::format("{} is no whole backup: it has no {}", path_.string(), kRecord));
  std::ifstream file(path_ / kRecord);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  auto object = parse_json_object(text);
  if (!object) return fail(Code::corrupt, fmt::format("{} of the backup {} is damaged: {}", kRecord, path_.string(), object.error().message));
  BackupRecord record{.version = number_in(*object, "version"), .schema = number_in(*object, "schema")};
  LO_TRY(check_versions(record, path_));
  record.catalog = string_or(*object, "catalog");
  record.catalog_digest = string_or(*object, "catalogDigest");
  if (record.version < 1 || record.catalog.empty() || fs::path(record.catalog).filename() != record.catalog)
    return fail(Code::corrupt, fmt::format("{} of the backup {} is damaged", kRecord, path_.string()));
  return record;
}

}  // namespace lo::serve
