// The environment and command lines of the processes that the server starts: built here, nothing is inherited by chance.
#pragma once

#include "run/run_context.h"
#include "run/spawn.h"
#include "run/worker_kind.h"

namespace lo::run {

// In every environment, so that a later server with the same data finds what this one left behind: "ORCHESTRA_SERVER=<id>".
std::string server_mark(std::string_view server_id);

// Reads the file at this URL (PROTOCOL.md, "A file from elsewhere"). Its environment alone has the credentials of RunOptions::remote.
SpawnRequest remote_file_command(const RunContext& context, const std::string& url);

SpawnRequest fork_server_command(const RunContext& context, WorkerKind kind, const std::filesystem::path& python, std::string_view name);

// A local Spark server on this port of the loopback interface (PROTOCOL.md, "The Spark server").
SpawnRequest spark_server_command(const RunContext& context, int port, const std::string& secret);

// A process that does nothing until its descriptor 3 closes, which the death of the server does too; then it kills the group.
SpawnRequest guard_command(const RunContext& context, pid_t group);

}  // namespace lo::run
