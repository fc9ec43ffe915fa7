// What the store needs of the file system, with errors as values. `what` names the file in messages.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"

namespace lo::store {

// A folder for openat and renameat, never through a link.
Result<UniqueFd> open_folder(const std::filesystem::path& path);

// A regular file with one name, for reading. Links, folders, FIFOs, devices and files with a second (hard) link are refused
// with Code::corrupt: who holds another name could change what was published.
Result<UniqueFd> open_plain_file(int folder, const std::string& name);

Result<std::int64_t> size_of(int fd, std::string_view what);
Result<std::string> read_all(int fd, std::string_view what);
Status sync_fd(int fd, std::string_view what);
Status sync_folder(const std::filesystem::path& path);
Status make_folder(const std::filesystem::path& path);  // 0700; it may exist

// Writes a file 0400 under a name of its own, then renames it to `path`: there whole or not at all, but not synced.
Status write_by_rename(const std::filesystem::path& path, std::string_view content);

// Free share of the disk that holds `path`, 0 to 1, as a user without privileges sees it.
Result<double> free_share(const std::filesystem::path& path);

}  // namespace lo::store
