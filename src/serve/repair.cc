#include "serve/repair.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <map>

#include "base/fd.h"
#include "base/log.h"

namespace lo::serve {
namespace {

constexpr std::chrono::minutes kYoung{10};

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Takes every part that is not what it was out of the store. True when there was one.
Result<bool> remove_damaged_parts(store::Store& store, const catalog::Revision& revision) {
  LO_ASSIGN(auto manifest, store::manifest_from_json(revision.result));
  bool damaged = false;
  for (const auto& part : manifest.parts) {
    if (part.inline_data) continue;
    auto verified = store.verify(part);
    if (verified) continue;
    if (verified.error().code != Code::corrupt) return std::unexpected(verified.error());
    log::warn("the result of \"{}\" did not survive: {}", revision.name, verified.error().message);
    LO_TRY(store.remove(part.digest));
    damaged = true;
  }
  return damaged;
}

}  // namespace

std::string RunningMark::this_boot() { return first_line("/proc/sys/kernel/random/boot_id"); }

bool RunningMark::machine_went_down() const {
  auto marked = first_line(file_);
  return !boot_.empty() && !marked.empty() && marked != boot_;
}

Status RunningMark::set() const {
  UniqueFd file(::open(file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  bool written = file && ::write(file.get(), boot_.data(), boot_.size()) == std::ssize(boot_) && ::fsync(file.get()) == 0;
  UniqueFd folder(::open(file_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (written && folder && ::fsync(folder.get()) == 0) return {};
  return fail_errno("cannot write " + file_.string(), errno);
}

void RunningMark::clear() const {
  std::error_code ignored;  // the next start then checks once too often
  std::filesystem::remove(file_, ignored);
}

Result<std::vector<catalog::Revision>> remove_damaged_results(catalog::Catalog& catalog, store::Store& store) {
  LO_ASSIGN(auto briefs, catalog.all_revisions());
  std::map<catalog::StepId, int> newest;
  for (const auto& brief : briefs) newest[brief.key.step] = std::max(newest[brief.key.step], brief.key.revision);
  std::erase_if(briefs, [](const auto& brief) { return brief.state != State::finished || !brief.ended; });
  auto last = std::ranges::max_element(briefs, {}, [](const auto& brief) { return *brief.ended; });
  std::vector<catalog::Revision> damaged;
  for (const auto& brief : briefs) {
    if (*brief.ended < *last->ended - kYoung) continue;
    LO_ASSIGN(auto revision, catalog.revision(brief.key));
    if (!revision) continue;
    LO_ASSIGN(auto is_damaged, remove_damaged_parts(store, *revision));
    if (is_damaged && brief.key.revision == newest.at(brief.key.step)) damaged.push_back(*std::move(revision));
  }
  std::ranges::sort(damaged, {}, [](const auto& revision) { return *revision.ended; });
  return damaged;
}

void make_again(engine::Conductor& conductor, const catalog::Revision& damaged) {
  std::promise<void> done;
  conductor.revise(engine::again(damaged), [&](Result<engine::Accepted> accepted) {
    if (!accepted) log::warn("\"{}\" is not made again: {}", damaged.name, accepted.error().message);
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace lo::serve
