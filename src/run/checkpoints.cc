#include "run/checkpoints.h"

#include <fmt/format.h>

#include "base/log.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

std::string name_of(engine::RevisionKey revision) { return fmt::format("{}-{}", revision.step, revision.revision); }

fs::path folder_of(const fs::path& data) { return data / "checkpoints"; }

bool wants_checkpoint(const engine::Member& member) {
  const auto* wanted = member.request.if_contains("checkpoint");
  return wanted != nullptr && wanted->is_bool() && wanted->get_bool();
}

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) log::warn("run: cannot remove {}: {}", folder.string(), error.message());
}

}  // namespace

Result<std::optional<fs::path>> make_checkpoint(const fs::path& data, const engine::JobRequest& job) {
  if (job.members.size() != 1 || !wants_checkpoint(job.members.front())) return std::nullopt;
  auto folder = folder_of(data) / name_of(job.members.front().key);
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return fail_errno("cannot make " + folder.string(), error.value());
  return folder;
}

void remove_checkpoint(const fs::path& data, engine::RevisionKey revision) { remove_folder(folder_of(data) / name_of(revision)); }

int remove_checkpoints_but(const fs::path& data, const std::set<engine::RevisionKey>& revisions) {
  std::set<std::string> kept;
  for (auto revision : revisions) kept.insert(name_of(revision));
  std::error_code error;
  int left = 0;
  for (fs::directory_iterator at(folder_of(data), error), end; !error && at != end; at.increment(error))
    kept.contains(at->path().filename().string()) ? void(++left) : remove_folder(at->path());
  return left;
}

}  // namespace lo::run
