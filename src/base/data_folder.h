// The folder that a server keeps everything in, held by one server at a time.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace lo {

// Holds the folder while it lives: a lock of the kernel's, gone with the process however it ends. Move-only.
class DataFolder {
 public:
  // Makes the folder (0700) if it is missing and locks it. Code::conflict when another server holds it: the message ends with that
  // server's URL, where it is known. Code::io. Blocks shortly.
  static Result<DataFolder> hold(const std::filesystem::path& path);

  // Tells others where the holder answers: in <path>/server.url.
  Status announce(const std::string& url) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  DataFolder(std::filesystem::path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  UniqueFd lock_;
};

// Writes `text` to `path` so that a reader sees all of it or the old file: a temporary file beside it, then a rename.
// `mode` says who may read it, as the umask allows.
Status write_whole_file(const std::filesystem::path& path, std::string_view text, mode_t mode = 0666);

}  // namespace lo
