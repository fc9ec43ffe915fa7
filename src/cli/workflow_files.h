// A workflow file and the files that it names.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"
#include "workflow/workflow.h"

namespace lo::cli {

// A file that is sent as the content of a dataset or a model.
struct LocalFile {
  std::filesystem::path path;
  workflow::Upload content;
  std::string type;  // its Content-Type
  bool operator==(const LocalFile&) const = default;
};

struct LocalWorkflow {
  workflow::Workflow flow;
  workflow::Document document;            // as it was read: tells the lines
  std::map<std::size_t, LocalFile> files;  // by index of the step that is made of it
};

// Reads the file (YAML, or JSON when it ends in .json) and what it names by relative path: a datasetURI or modelURI without a scheme
// becomes an upload, a modelingCode or function that names a .py file becomes its text. A workflow that does not name itself has the
// file's name. Code::not_found for files that are not there.
Result<LocalWorkflow> read_workflow(const std::filesystem::path& path);

// The whole file. Code::not_found or Code::io naming it; Code::too_large above 16 MB, the server's limit of a body.
Result<std::string> read_text(const std::filesystem::path& path);

// Digest and size of a file of any size, read piece by piece.
Result<workflow::Upload> digest_file(const std::filesystem::path& path);

}  // namespace lo::cli
