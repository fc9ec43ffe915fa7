// A workflow: its steps, read and checked as far as it can be without a server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "workflow/document.h"

namespace lo::workflow {

// The file that a dataset or a model is made of, where that is no URL: `upload: {digest, bytes}` of the step.
struct Upload {
  std::string digest;  // XXH3-128 of the bytes, 32 hexadecimal digits
  std::int64_t bytes = 0;
  bool operator==(const Upload&) const = default;
};

struct FileStep {
  std::string service;
  std::string title;               // its name; of a builder the prefix; of transform/dataType the dataset it types
  std::vector<std::string> makes;  // the names that the server will know: of a builder one per classifier, of dataType none
  std::vector<std::string> uses;   // the names it refers to, each once
  json::object body;               // the request, without `service` and `upload`
  std::string where;               // "line 12", for people
  std::string pointer;             // "/steps/3"
  std::optional<Upload> upload;    // instead of datasetURI or modelURI
  json::object implied = {};       // members that the workflow's schedule adds to the body
};

struct Workflow {
  std::string name;
  std::string description;
  std::optional<json::object> schedule = {};  // of all its steps together: see timing.h
  std::vector<FileStep> steps;
};

// Checks and takes apart a document: pure. `name_if_none` names a workflow that does not name itself. Code::unacceptable with all
// that is wrong, each with its place: unknown services and members (with the nearest), missing ones, bad names, names taken twice.
Result<Workflow> parse_workflow(const Document& document, std::string_view name_if_none);

// The document that parse_workflow() takes apart into the same, its members in a fixed order.
json::object document_of(const Workflow& workflow);

// Every name that the steps make, in their order.
std::vector<std::string> made_by(const Workflow& workflow);

// Gathers what is wrong with a workflow, so that one reading tells all of it.
class Problems {
 public:
  // `where` is the place for people, "line 12" or the pointer itself.
  void add(std::string pointer, std::string_view where, std::string_view detail);
  bool any() const { return !error_.fields.empty(); }

  // A line of text per problem, and each as a FieldError.
  Error error(Code code) &&;

 private:
  Error error_;
};

}  // namespace lo::workflow
