// A JSON file ready to be parsed: the optional members of a dataset/json request, and what the file does not say of itself.
#pragma once

#include <string>

#include "base/json.h"
#include "dataset/source.h"
#include "dataset/types.h"

namespace lo::dataset {

// The optional members of a dataset/json request.
struct JsonOptions {
  Types types = {};           // of fields of the rows; the others have the types of their values
  std::string encoding = "";  // empty: UTF-16 where every other byte is 0 or by the byte order mark, else UTF-8

  std::size_t max_row_bytes = std::size_t{16} << 20;
};

// Reads the members types and encoding of a request; others are left alone. Code::unacceptable with the member's pointer for a wrong one.
Result<JsonOptions> parse_json_options(const json::object& request);

struct JsonLinesText {
  Source text;          // unpacked, UTF-8, one value a line
  JsonOptions options;  // with the encoding that was found
};

// Unpacks and recodes `source`. What reading gives is passed on. Blocks.
Result<JsonLinesText> open_json(Source source, JsonOptions options);

}  // namespace lo::dataset
