#include "store/manifest.h"

#include <arrow/util/base64.h>
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <numeric>

#include "store/digest.h"

namespace lo::store {
namespace {

constexpr std::array<std::string_view, 7> kKindWords{"none",  "table",     "object",     "model",
                                                     "blob", "documents", "environment"};

std::unexpected<Error> corrupt(std::string_view what) {
  return fail(Code::corrupt, fmt::format("the stored description of a result is damaged: {}", what));
}

Result<Kind> parse_kind(std::string_view word) {
  auto found = std::ranges::find(kKindWords, word);
  if (found == kKindWords.end()) return corrupt(fmt::format("kind '{}'", word));
  return static_cast<Kind>(found - kKindWords.begin());
}

json::object part_to_json(const Part& part) {
  json::object object{{"name", part.name}, {"digest", part.digest}, {"bytes", part.bytes}};
  if (part.inline_data) object["inline"] = part_content(part);
  return object;
}

Result<std::int64_t> count_from(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* count = value == nullptr ? nullptr : value->if_int64();
  if (count == nullptr || *count < 0) return corrupt(key);
  return *count;
}

Result<Part> part_from_json(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return corrupt("parts");
  Part part{.name = string_or(*object, "name"), .digest = string_or(*object, "digest"), .bytes = 0, .inline_data = {}};
  // A draft has names alone: digest and bytes are filled in by publish.
  if (object->contains("bytes")) {
    LO_ASSIGN(part.bytes, count_from(*object, "bytes"));
  }
  if (object->contains("inline")) {
    auto data = arrow::util::base64_decode(string_or(*object, "inline"));
    if (!data.ok()) return corrupt("inline");
    part.inline_data = *std::move(data);
  }
  return part;
}

Result<Field> field_from_json(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return corrupt("fields");
  return Field{.name = string_or(*object, "name"), .type = string_or(*object, "type")};
}

template <class T>
Status append_all(const json::object& object, std::string_view key, Result<T> (*read)(const json::value&),
                  std::vector<T>& out) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return {};
  if (!value->is_array()) return corrupt(key);
  for (const auto& element : value->get_array()) {
    LO_ASSIGN(auto item, read(element));
    out.push_back(std::move(item));
  }
  return {};
}

}  // namespace

std::string_view to_string(Kind kind) { return kKindWords.at(static_cast<std::size_t>(kind)); }

const Part* Manifest::part(std::string_view name) const {
  auto found = std::ranges::find(parts, name, &Part::name);
  return found == parts.end() ? nullptr : &*found;
}

bool Manifest::is_inline() const {
  return std::ranges::all_of(parts, [](const Part& part) { return part.inline_data.has_value(); });
}

const Part* Manifest::rows_part() const {
  const auto* found = part("rows.parquet");
  return found != nullptr ? found : part("rows.arrow");
}

std::int64_t Manifest::bytes() const {
  return std::accumulate(parts.begin(), parts.end(), std::int64_t{0},
                         [](std::int64_t sum, const Part& part) { return sum + part.bytes; });
}

std::string Manifest::digest() const {
  Digester digester;
  auto add = [&](std::string_view text) {
    digester.add(fmt::format("{}:", text.size()));  // its length first, so that "ab","c" and "a","bc" differ
    digester.add(text);
  };
  add(to_string(kind));
  for (const auto& part : parts) {
    add(part.name);
    add(part.digest);
  }
  return digester.digest();
}

Part uploaded_part(const json::object& upload) {
  const auto* bytes = upload.if_contains("bytes");
  return {.name = "content",
          .digest = string_or(upload, "digest"),
          .bytes = bytes != nullptr && bytes->is_int64() ? bytes->get_int64() : 0,
          .inline_data = {}};
}

std::string part_content(const Part& part) { return arrow::util::base64_encode(*part.inline_data); }

json::object to_json(const Manifest& manifest) {
  json::object object{{"kind", to_string(manifest.kind)}};
  if (!manifest.type_name.empty()) object["typeName"] = manifest.type_name;
  auto& parts = object["parts"].emplace_array();
  for (const auto& part : manifest.parts) parts.push_back(part_to_json(part));
  if (!manifest.fields.empty()) {
    auto& fields = object["fields"].emplace_array();
    for (const auto& field : manifest.fields) fields.push_back(json::object{{"name", field.name}, {"type", field.type}});
  }
  if (manifest.rows) object["rows"] = *manifest.rows;
  return object;
}

Result<Manifest> manifest_from_json(const json::object& object) {
  Manifest manifest;
  LO_ASSIGN(manifest.kind, parse_kind(string_or(object, "kind")));
  manifest.type_name = string_or(object, "typeName");
  LO_TRY(append_all(object, "parts", part_from_json, manifest.parts));
  LO_TRY(append_all(object, "fields", field_from_json, manifest.fields));
  const auto* rows = object.if_contains("rows");
  if (rows != nullptr && !rows->is_null()) {
    LO_ASSIGN(manifest.rows, count_from(object, "rows"));
  }
  return manifest;
}

}  // namespace lo::store
