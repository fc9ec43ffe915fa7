#include "dataset/json_open.h"

#include <fmt/format.h>

#include "dataset/cast.h"
#include "dataset/csv_detect.h"
#include "dataset/json_lines.h"
#include "dataset/sample.h"

namespace lo::dataset {

Result<JsonOptions> parse_json_options(const json::object& request) {
  JsonOptions options;
  if (const auto* types = request.if_contains("types"); types != nullptr) {
    if (!types->is_object())
      return fail_field(Code::unacceptable, "/types", fmt::format("types is {{field: type}}, not {}", json::serialize(*types)));
    LO_ASSIGN(options.types, parse_types(types->get_object()));
  }
  if (const auto* encoding = request.if_contains("encoding"); encoding != nullptr) {
    if (!encoding->is_string())
      return fail_field(Code::unacceptable, "/encoding", fmt::format("encoding is a text, not {}", json::serialize(*encoding)));
    options.encoding = std::string(encoding->get_string());
    LO_TRY(check_encoding(options.encoding, "/encoding"));
  }
  return options;
}

Result<JsonLinesText> open_json(Source source, JsonOptions options) {
  auto text = unpack(std::move(source));
  if (options.encoding.empty()) {
    LO_ASSIGN(auto begun, look_into(std::move(text)));
    auto detected = detect_encoding(begun.sample);
    options.encoding = detected.starts_with("utf-16") ? detected : "utf-8";
    text = std::move(begun.source);
  }
  LO_ASSIGN(text, to_utf8(std::move(text), options.encoding));
  return JsonLinesText{.text = array_as_lines(std::move(text)), .options = std::move(options)};
}

}  // namespace lo::dataset
