// Copies of files and trees, with what they are told by: content, permissions, time of change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lo::serve {

struct Copied {
  std::string digest;  // of what was read, store::Digester's
  std::int64_t bytes = 0;
};

// Copies a regular file to a new one, `to`. Not synced. Links are not followed. Code::not_found when `from` is not there (any more),
// Code::conflict when `to` is.
Result<Copied> copy_one(const std::filesystem::path& from, const std::filesystem::path& to);

// Copies a folder to a new one, `to`: regular files, folders, links as links; all else is left out. Not synced. Code::not_found when
// something goes away meanwhile.
Status copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);

// A new file of its owner's alone with this text; on disk when it returns, its name is not.
Status write_synced(const std::filesystem::path& path, std::string_view text);

Status make_folders(const std::filesystem::path& path);  // 0700, with those above it that are missing
Status rename_to(const std::filesystem::path& from, const std::filesystem::path& to);

// Everything that was written to the disk that holds `path` is on it.
Status sync_disk_of(const std::filesystem::path& path);

// Size and time of change of a regular file, to tell whether a copy of it is still one; {-1, 0} when there is none.
struct Stamp {
  std::int64_t bytes = -1;
  std::int64_t nanoseconds = 0;
  bool operator==(const Stamp&) const = default;
};
Stamp stamp_of(const std::filesystem::path& path);

}  // namespace lo::serve
