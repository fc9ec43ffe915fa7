// The folder of a backup:
//   backup.json               there when the backup is whole; names the catalog
//   catalog-<token>.sqlite    a copy of the catalog
//   store, logs, environments what that catalog refers to, laid out as in a data folder
//   making                    what is not whole yet
//   backup.lock               held by who writes or reads; says that the folder is a backup's
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace lo::serve {

// What backup.json says. The first four are read again, the others are for people.
struct BackupRecord {
  int version = 0;  // of the layout
  int schema = 0;   // of the catalog
  std::string catalog = {};
  std::string catalog_digest = {};
  std::string made = {};
  std::string origin = {};
  std::size_t steps = 0;
  std::size_t objects = 0;
  std::int64_t bytes = 0;  // of the objects
};

// Held while it lives. Move-only. Blocks on the disk.
class BackupFolder {
 public:
  // For writing: alone; the folder is made if it is missing. Code::conflict when it is in use, or holds something else than a backup.
  static Result<BackupFolder> hold_for_writing(const std::filesystem::path& path);
  // For reading: with others; also from a disk that cannot be written. Code::not_found, Code::conflict.
  static Result<BackupFolder> hold_for_reading(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path making() const { return path_ / "making"; }
  std::filesystem::path object(std::string_view digest) const;

  // Makes the backup the one that `record` tells of, in place of an older one: on disk when it returns.
  Status complete(const BackupRecord& record) const;

  // Code::not_found when the backup is not whole, Code::unavailable when a newer program made it, Code::corrupt.
  Result<BackupRecord> record() const;

 private:
  BackupFolder(std::filesystem::path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  UniqueFd lock_;  // none where the disk holds no lock file
};

}  // namespace lo::serve
