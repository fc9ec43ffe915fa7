// Any text as a query: an error or a filter, never a crash; a filter and its negation share no document and leave none out.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dataset/query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lo;
  static const json::object document =
      parse_json_object(R"({"_id": 1, "a": 1, "b": "x", "c": null, "d": [1, "y", null, {"e": 2}], "f": {"g": true}})").value();
  std::string text(reinterpret_cast<const char*>(data), size);
  auto query = dataset::parse_query(text);
  auto negated = dataset::parse_query("{\"$nor\": [" + text + "]}");
  if (query && negated && query->matches(document) == negated->matches(document)) std::abort();
  return 0;
}
