// A YAML or JSON text as one JSON value that still knows on which line each part stood.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace lo::workflow {

struct Document {
  json::value value;
  std::map<std::string, int, std::less<>> lines;  // by JSON pointer, "/steps/0/names": from 1; empty for JSON

  // "line 12" of the part, or of the innermost one around it that is known; the pointer itself where there are no lines.
  std::string where(std::string_view pointer) const;
};

// Plain scalars follow YAML 1.2's core schema (`no` and `y` are text); anchors work. Code::malformed, with the line, for what
// is not YAML, has a key twice, a key that is no scalar, .inf or .nan, nests deeper than kMaxJsonDepth or has over 100,000
// values.
Result<Document> read_yaml(std::string_view text);

Result<Document> read_json(std::string_view text);

}  // namespace lo::workflow
