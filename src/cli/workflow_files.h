// The files that a workflow names.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "cli/workflow.h"

namespace lo::cli {

// The whole file. Code::not_found or Code::io naming it; Code::too_large above 16 MB, the server's limit of a body.
Result<std::string> read_text(const std::filesystem::path& path);

// Digest and size of a file of any size, read piece by piece. `path` is kept as it is given.
Result<Upload> digest_file(const std::filesystem::path& path);

// Puts what the steps name by relative path in its place: see read_workflow. Paths are relative to `folder`.
Status attach_files(Workflow& workflow, const std::filesystem::path& folder);

}  // namespace lo::cli
