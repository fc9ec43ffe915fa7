// Where a step of a file differs from the request that the server has stored: the body of the PATCH that makes them equal.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "workflow/services.h"
#include "workflow/workflow.h"

namespace lo::workflow {

// Whether a member means the same as leaving it out: it is null or empty, or the default.
bool goes_without_saying(const Service& service, std::string_view key, const json::value& value);

struct Difference {
  std::vector<std::string> members;  // that differ, sorted; "content" is the file that is sent; empty: the requests are equal
  json::object patch;                // their values in the file; of those the file leaves out the default, or null
  bool has_content() const;
};

// `stored` is the normalised request. Left-out members equal their defaults, texts and lists the empty ones. Uploads are
// compared by digest. What names the step is not compared, nor what the server keeps beside the request: labels, and of a
// builder the list of classifiers.
Difference difference(const FileStep& step, const json::object& stored);

}  // namespace lo::workflow
