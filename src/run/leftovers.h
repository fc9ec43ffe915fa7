// What a server that was killed left of its jobs, and its removal. Blocks: at start, or on the pool.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "run/cgroup.h"

namespace lo::run {

// The identity of a data folder on this machine: a copy of it is another one.
Result<std::string> server_id_of(const std::filesystem::path& data);

// Kills the processes and removes the files and control groups of an earlier server with this data. Only when it is dead.
void clear_leftovers(const std::filesystem::path& data, std::string_view server_id);

// Notes where control groups are made, so that a later server in another group finds them.
Status note_cgroups(const std::filesystem::path& data, const Cgroups& cgroups);

// Removes the environments that nothing refers to any more: all but those of these digests. Only while no job runs.
void remove_environments_but(const std::filesystem::path& data, const std::set<std::string>& digests);

// Removes the scratch folders of steps whose keeper was killed: nobody holds a lock on them.
void remove_abandoned_scratch(const std::filesystem::path& folder);

// Bytes of memory that this process and its children may have altogether: of the machine or of the container, less a reserve for
// the server itself and the system.
std::int64_t memory_for_jobs();

}  // namespace lo::run
