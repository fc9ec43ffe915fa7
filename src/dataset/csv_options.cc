#include "dataset/csv_options.h"

#include <fmt/format.h>

#include "dataset/cast.h"
#include "dataset/source.h"

namespace lo::dataset {
namespace {

std::unexpected<Error> wrong(std::string pointer, std::string detail) {
  return fail_field(Code::unacceptable, std::move(pointer), std::move(detail));
}

Status read_types(const json::value& value, CsvOptions& options) {
  const auto* word = value.if_string();
  if (word != nullptr && (*word == "string" || *word == "infer")) {
    options.infer = *word == "infer";
    return {};
  }
  const auto* object = value.if_object();
  if (object == nullptr)
    return wrong("/types", fmt::format("types is \"string\", \"infer\" or {{field: type}}, not {}", json::serialize(value)));
  LO_ASSIGN(options.types, parse_types(*object));
  return {};
}

Status read_delimiter(const json::value& value, CsvOptions& options) {
  const auto* text = value.if_string();
  // A quote, a line end or half of a UTF-8 character would never part two cells.
  if (text == nullptr || text->size() != 1 || std::string_view("\"\r\n").contains(text->front()) ||
      static_cast<unsigned char>(text->front()) >= 0x80 || text->front() == '\0')
    return wrong("/delimiter", fmt::format("delimiter is one ASCII character, not {}", json::serialize(value)));
  options.delimiter = text->front();
  return {};
}

Status read_encoding(const json::value& value, CsvOptions& options) {
  const auto* text = value.if_string();
  if (text == nullptr) return wrong("/encoding", fmt::format("encoding is a text, not {}", json::serialize(value)));
  options.encoding = std::string(*text);
  return check_encoding(options.encoding, "/encoding");
}

Status read_headers(const json::value& value, CsvOptions& options) {
  const auto* names = value.if_array();
  if (names == nullptr || names->empty())
    return wrong("/headers", fmt::format("headers is a list of field names, not {}", json::serialize(value)));
  for (const auto& name : *names) {
    if (!name.is_string())
      return wrong(fmt::format("/headers/{}", options.headers.size()),
                   fmt::format("a field name is a text, not {}", json::serialize(name)));
    options.headers.emplace_back(name.get_string());
  }
  return {};
}

}  // namespace

Result<CsvOptions> parse_csv_options(const json::object& request) {
  CsvOptions options;
  const auto* types = request.if_contains("types");
  const auto* delimiter = request.if_contains("delimiter");
  const auto* encoding = request.if_contains("encoding");
  const auto* headers = request.if_contains("headers");
  if (types != nullptr) LO_TRY(read_types(*types, options));
  if (delimiter != nullptr) LO_TRY(read_delimiter(*delimiter, options));
  if (encoding != nullptr) LO_TRY(read_encoding(*encoding, options));
  if (headers != nullptr) LO_TRY(read_headers(*headers, options));
  return options;
}

}  // namespace lo::dataset
