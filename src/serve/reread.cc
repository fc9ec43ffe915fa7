#include "serve/reread.h"

#include <boost/asio/steady_timer.hpp>

#include "base/log.h"

namespace lo::serve {
namespace {

constexpr std::chrono::seconds kInterval{1};

}  // namespace

bool RereadFiles::Stamp::operator==(const Stamp& other) const {
  return inode == other.inode && size == other.size && modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec;
}

RereadFiles::RereadFiles(std::string what, std::vector<std::filesystem::path> files, std::function<Status()> reread)
    : what_(std::move(what)), files_(std::move(files)), reread_(std::move(reread)), seen_(stamps()) {}

// Follows links: who renews certificates often only moves a link.
RereadFiles::Stamp RereadFiles::stamp_of(const std::filesystem::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) return {};
  return {.inode = about.st_ino, .size = about.st_size, .modified = about.st_mtim};
}

std::vector<RereadFiles::Stamp> RereadFiles::stamps() const {
  std::vector<Stamp> stamps;
  for (const auto& file : files_) stamps.push_back(stamp_of(file));
  return stamps;
}

void RereadFiles::check() {
  auto now = stamps();  // before reading: what changes meanwhile is seen the next time
  if (now == seen_) return;
  seen_ = std::move(now);
  if (auto read = reread_(); !read) return log::error("{} stay as they were: {}", what_, read.error().message);
  log::info("{} were read again", what_);
}

Awaitable<void> reread_at_intervals(std::vector<RereadFiles> all, BlockingPool& pool) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  auto check = [&all] {
    for (auto& files : all) files.check();
    return true;
  };
  for (;;) {
    timer.expires_after(kInterval);
    co_await timer.async_wait(asio::use_awaitable);
    co_await pool.run(check);
  }
}

}  // namespace lo::serve
