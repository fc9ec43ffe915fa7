#include "base/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace lo {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::unexpected<Error> held_by_another(const fs::path& path) {
  auto holder = read_text(path / "orchestra.lock");
  auto url = read_text(path / "server.url");
  return fail(Code::conflict, fmt::format("the data folder {} is held by the server of process {}{}", path.string(),
                                          holder.empty() ? "?" : holder, url.empty() ? "" : " at " + url));
}

}  // namespace

Result<DataFolder> DataFolder::hold(const fs::path& given) {
  std::error_code error;
  auto path = fs::absolute(given, error);
  if (!error) fs::create_directories(path, error);
  if (error) return fail_errno(fmt::format("the data folder {} cannot be made", given.string()), error.value());
  ::chmod(path.c_str(), 0700);
  UniqueFd lock(::open((path / "orchestra.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return fail_errno(fmt::format("the data folder {} cannot be locked", path.string()), errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return held_by_another(path);
    return fail_errno(fmt::format("the data folder {} cannot be locked", path.string()), errno);
  }
  fs::remove(path / "server.url", error);  // the last holder's
  auto pid = fmt::format("{}", ::getpid());
  if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), pid.data(), pid.size(), 0) < 0)
    return fail_errno(fmt::format("the data folder {} cannot be written", path.string()), errno);
  return DataFolder(std::move(path), std::move(lock));
}

Status DataFolder::announce(const std::string& url) const { return write_whole_file(path_ / "server.url", url); }

Status write_whole_file(const fs::path& path, std::string_view text, mode_t mode) {
  auto temporary = path;
  temporary += fmt::format(".{}", ::getpid());
  std::error_code error;
  fs::remove(temporary, error);  // whose mode would stay
  {
    UniqueFd made(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    std::ofstream file(temporary);
    file << text;
    if (!made || !file.flush()) return fail_errno(fmt::format("{} cannot be written", path.string()), errno);
  }
  fs::rename(temporary, path, error);
  if (error) return fail_errno(fmt::format("{} cannot be written", path.string()), error.value());
  return {};
}

}  // namespace lo
