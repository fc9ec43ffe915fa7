#include "serve/backup_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/fd.h"
#include "store/digest.h"
#include "store/files.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr mode_t kPermissions = 07777;

std::unexpected<Error> cannot(std::string_view verb, const fs::path& path) {
  if (errno == ENOENT) return fail(Code::not_found, fmt::format("{} is not there", path.string()));
  if (errno == EEXIST) return fail(Code::conflict, fmt::format("{} is there already", path.string()));
  return fail_errno(fmt::format("cannot {} {}", verb, path.string()), errno);
}

Result<UniqueFd> open_source(const fs::path& path) {
  // O_NONBLOCK: a FIFO without a writer would hold us here.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return cannot("read", path);
  return fd;
}

Result<UniqueFd> create(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return cannot("make", path);
  return fd;
}

Status write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    auto wrote = ::write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return cannot("write", path);
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<Copied> copy_content(int from, const fs::path& from_path, int to, const fs::path& to_path) {
  store::Digester digester;
  Copied copied;
  std::vector<char> piece(kPiece);
  while (true) {
    auto got = ::read(from, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot("read", from_path);
    if (got == 0) break;
    std::string_view text(piece.data(), static_cast<std::size_t>(got));
    digester.add(text);
    LO_TRY(write_all(to, text, to_path));
    copied.bytes += got;
  }
  copied.digest = digester.digest();
  return copied;
}

// The time, too: Python takes a compiled module for outdated whose source has another.
Status take_over(int fd, const struct stat& info, const fs::path& path) {
  const std::array times{info.st_atim, info.st_mtim};
  if (::fchmod(fd, info.st_mode & kPermissions) == 0 && ::futimens(fd, times.data()) == 0) return {};
  return cannot("write", path);
}

Status copy_entry(const fs::directory_entry& entry, const fs::path& to) {
  std::error_code error;
  if (entry.is_symlink(error)) {
    fs::copy_symlink(entry.path(), to, error);
    return error ? Status(fail_errno(fmt::format("cannot copy {}", entry.path().string()), error.value())) : Status();
  }
  if (entry.is_directory(error)) return copy_tree(entry.path(), to);
  if (!entry.is_regular_file(error)) return {};
  LO_TRY(copy_one(entry.path(), to));
  return {};
}

}  // namespace

Result<Copied> copy_one(const fs::path& from, const fs::path& to) {
  LO_ASSIGN(auto source, open_source(from));
  struct stat info {};
  if (::fstat(source.get(), &info) != 0) return cannot("read", from);
  if (!S_ISREG(info.st_mode)) return fail(Code::corrupt, fmt::format("{} is no regular file", from.string()));
  LO_ASSIGN(auto target, create(to));
  LO_ASSIGN(auto copied, copy_content(source.get(), from, target.get(), to));
  LO_TRY(take_over(target.get(), info, to));
  return copied;
}

Status copy_tree(const fs::path& from, const fs::path& to) {
  struct stat info {};
  if (::stat(from.c_str(), &info) != 0) return cannot("read", from);
  if (::mkdir(to.c_str(), 0700) != 0) return cannot("make", to);
  std::error_code error;
  for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error))
    LO_TRY(copy_entry(*it, to / it->path().filename()));
  if (error) return fail_errno(fmt::format("cannot list {}", from.string()), error.value());
  if (::chmod(to.c_str(), info.st_mode & kPermissions) != 0) return cannot("write", to);
  return {};
}

Status write_synced(const fs::path& path, std::string_view text) {
  LO_ASSIGN(auto fd, create(path));
  LO_TRY(write_all(fd.get(), text, path));
  return store::sync_fd(fd.get(), path.string());
}

Status make_folders(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return {};
  if (path.has_relative_path()) LO_TRY(make_folders(path.parent_path()));
  return store::make_folder(path);
}

Status rename_to(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return fail_errno(fmt::format("cannot rename {} to {}", from.string(), to.string()), errno);
}

Status sync_disk_of(const fs::path& path) {
  LO_ASSIGN(auto fd, store::open_folder(path));
  if (::syncfs(fd.get()) == 0) return {};
  return fail_errno(fmt::format("cannot sync the disk of {}", path.string()), errno);
}

Stamp stamp_of(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {.bytes = info.st_size, .nanoseconds = info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec};
}

}  // namespace lo::serve
