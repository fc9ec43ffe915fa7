#include "serve/disk_gauge.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <optional>

#include "base/log.h"

namespace lo::serve {
namespace {

constexpr std::chrono::seconds kFresh{1};

double free_share(DiskSpace space) { return space.total <= 0 ? 1 : static_cast<double>(space.free) / static_cast<double>(space.total); }

}  // namespace

Result<DiskSpace> read_disk_space(const std::filesystem::path& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return fail_errno("the room on the disk of " + path.string() + " is not known", errno);
  auto unit = static_cast<std::int64_t>(status.f_frsize);
  auto taken = static_cast<std::int64_t>(status.f_blocks - status.f_bfree);
  auto free = static_cast<std::int64_t>(status.f_bavail);
  return DiskSpace{.free = free * unit, .total = (taken + free) * unit};
}

Result<DiskSpace> read_fullest_disk(const std::vector<std::filesystem::path>& paths) {
  std::optional<DiskSpace> fullest;
  for (const auto& path : paths) {
    LO_ASSIGN(auto space, read_disk_space(path));
    if (!fullest || free_share(space) < free_share(*fullest)) fullest = space;
  }
  return fullest.value_or(DiskSpace{});
}

Status check_room(DiskSpace space, double percent) {
  auto taken = 100.0 * (1 - free_share(space));
  if (space.total <= 0 || taken < percent) return {};
  return fail(Code::no_space, fmt::format("the disk is {:.1f} % full, {} bytes are free: from {:g} % on no step is taken in; delete some, or see "
                                          "what orchestra gc frees",
                                          taken, space.free, percent));
}

DiskGauge::DiskGauge(Read read, double percent, std::shared_ptr<Clock> clock, BlockingPool& pool)
    : read_(std::move(read)), percent_(percent), clock_(std::move(clock)), pool_(pool) {
  asked_ = clock_->steady();
  refresh();
}

Status DiskGauge::check() {
  DiskSpace space;
  bool due = false;
  {
    MutexLock lock(mutex_);
    space = space_;
    due = clock_->steady() - asked_ >= kFresh;
    if (due) asked_ = clock_->steady();
  }
  if (due) pool_.post([this] { refresh(); });
  return check_room(space, percent_);
}

void DiskGauge::refresh() {
  auto space = read_();
  if (!space) return log::warn("{}", space.error().message);
  MutexLock lock(mutex_);
  space_ = *space;
}

}  // namespace lo::serve
