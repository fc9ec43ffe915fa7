// A workflow file: read and checked as far as it can be without a server.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cli/document.h"

namespace lo::cli {

// A file that is sent as the content of a dataset or a model.
struct Upload {
  std::filesystem::path path;
  std::string digest;  // XXH3-128 of the bytes, 32 hexadecimal digits
  std::int64_t bytes = 0;
  std::string type = "text/csv";  // its Content-Type
  bool operator==(const Upload&) const = default;
};

struct FileStep {
  std::string service;
  std::string title;               // its name; of a builder the prefix; of transform/dataType the dataset it types
  std::vector<std::string> makes;  // the names that the server will know: of a builder one per classifier, of dataType none
  std::vector<std::string> uses;   // the names it refers to, each once
  json::object body;               // the request, without `service`
  std::string where;               // "line 12"
  std::optional<Upload> upload;    // instead of datasetURI
};

struct Workflow {
  std::string name;
  std::vector<FileStep> steps;
};

// Checks and takes apart a document: pure. `name_if_none` names a workflow that does not name itself. Code::unacceptable with a
// line of text per problem, each with its place: unknown services and members (with the nearest), missing ones, bad names,
// names taken twice.
Result<Workflow> parse_workflow(const Document& document, std::string_view name_if_none);

// Reads the file (YAML, or JSON when it ends in .json) and what it names by relative path: a datasetURI or modelURI without a scheme
// becomes an upload, a modelingCode or function that names a .py file becomes its text. Code::not_found for files that are not
// there.
Result<Workflow> read_workflow(const std::filesystem::path& path);

}  // namespace lo::cli
