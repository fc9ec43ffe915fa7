// Folders that outlive the attempts at a revision: <data>/checkpoints/<step>-<revision>, for code that asks for one. All functions block
// on the disk: call them on the pool.
#pragma once

#include <filesystem>
#include <optional>
#include <set>

#include "engine/runner.h"

namespace lo::run {

// The folder of a job whose request says `checkpoint: true`, made if it is missing; nothing for others.
Result<std::optional<std::filesystem::path>> make_checkpoint(const std::filesystem::path& data, const engine::JobRequest& job);

void remove_checkpoint(const std::filesystem::path& data, engine::RevisionKey revision);
// Gives how many are left.
int remove_checkpoints_but(const std::filesystem::path& data, const std::set<engine::RevisionKey>& revisions);

}  // namespace lo::run
