#include "store/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <cerrno>

#include <fmt/format.h>

#include "base/id.h"

namespace lo::store {
namespace {

Result<UniqueFd> opened(int fd, std::string_view what) {
  if (fd < 0) return fail_errno(fmt::format("cannot open {}", what), errno);
  return UniqueFd(fd);
}

Status write_all(int fd, std::string_view content, std::string_view what) {
  while (!content.empty()) {
    auto wrote = ::write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_errno(fmt::format("cannot write {}", what), errno);
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Status check_plain(int fd, const std::string& name) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail_errno(fmt::format("cannot look at {}", name), errno);
  if (!S_ISREG(info.st_mode)) return fail(Code::corrupt, fmt::format("the result's part '{}' is not a regular file", name));
  if (info.st_nlink != 1)
    return fail(Code::corrupt, fmt::format("the result's part '{}' has {} names (hard links)", name, info.st_nlink));
  return {};
}

}  // namespace

Result<UniqueFd> open_folder(const std::filesystem::path& path) {
  return opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path.string());
}

Result<UniqueFd> open_plain_file(int folder, const std::string& name) {
  // O_NONBLOCK: a FIFO without a writer would hold us here.
  UniqueFd fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ENOENT) return fail(Code::corrupt, fmt::format("the result's part '{}' was not written", name));
  if (!fd && (errno == ELOOP || errno == ENXIO))
    return fail(Code::corrupt, fmt::format("the result's part '{}' is a link or a socket", name));
  if (!fd) return fail_errno(fmt::format("cannot open {}", name), errno);
  LO_TRY(check_plain(fd.get(), name));
  return fd;
}

Result<std::int64_t> size_of(int fd, std::string_view what) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail_errno(fmt::format("cannot look at {}", what), errno);
  return info.st_size;
}

Result<std::string> read_all(int fd, std::string_view what) {
  LO_ASSIGN(auto size, size_of(fd, what));
  std::string content(static_cast<std::size_t>(size), '\0');
  std::size_t have = 0;
  while (have < content.size()) {
    auto got = ::pread(fd, content.data() + have, content.size() - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(fmt::format("cannot read {}", what), errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  content.resize(have);
  return content;
}

Status sync_fd(int fd, std::string_view what) {
  if (::fsync(fd) != 0) return fail_errno(fmt::format("cannot sync {}", what), errno);
  return {};
}

Status sync_folder(const std::filesystem::path& path) {
  LO_ASSIGN(auto fd, open_folder(path));
  return sync_fd(fd.get(), path.string());
}

Status make_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(fmt::format("cannot make {}", path.string()), errno);
  return {};
}

Status write_by_rename(const std::filesystem::path& path, std::string_view content) {
  auto temporary = path.parent_path() / make_token();
  LO_ASSIGN(auto fd,
            opened(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400), temporary.string()));
  auto written = write_all(fd.get(), content, path.string());
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = fail_errno(fmt::format("cannot rename to {}", path.string()), errno);
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<double> free_share(const std::filesystem::path& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0)
    return fail_errno(fmt::format("cannot look at the disk of {}", path.string()), errno);
  if (info.f_blocks == 0) return 1.0;  // a file system that does not count
  return static_cast<double>(info.f_bavail) / static_cast<double>(info.f_blocks);
}

}  // namespace lo::store
