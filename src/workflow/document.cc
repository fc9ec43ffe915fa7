#include "workflow/document.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace lo::workflow {
namespace {

constexpr std::size_t kMaxValues = 100'000;  // an alias of an alias of … can stand for any number

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

bool looks_like_float(std::string_view text) {
  return text.find_first_not_of("+-0123456789.eE") == text.npos && text.find_first_of("0123456789") != text.npos;
}

json::value plain_scalar(const std::string& text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (is_one_of(text, {"true", "True", "TRUE"})) return true;
  if (is_one_of(text, {"false", "False", "FALSE"})) return false;
  if (auto integer = number_from<std::int64_t>(text)) return *integer;
  if (looks_like_float(text)) {
    if (auto real = number_from<double>(text)) return *real;
  }
  return json::string(text);
}

std::string escaped(std::string_view key) {
  std::string out;
  for (char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

// Walks the nodes of yaml-cpp. `pointer` is the place of the node that is being converted.
class Converter {
 public:
  explicit Converter(Document& document) : document_(document) {}

  Result<json::value> convert(const YAML::Node& node, const std::string& pointer, std::size_t depth) {
    if (depth > kMaxJsonDepth) return refuse(node, fmt::format("nests deeper than {} levels", kMaxJsonDepth));
    if (++values_ > kMaxValues) return refuse(node, fmt::format("has more than {} values", kMaxValues));
    document_.lines.try_emplace(pointer, line_of(node));
    if (node.IsMap()) return convert_map(node, pointer, depth);
    if (node.IsSequence()) return convert_sequence(node, pointer, depth);
    return convert_scalar(node);
  }

 private:
  static int line_of(const YAML::Node& node) { return node.Mark().line + 1; }

  static std::unexpected<Error> refuse(const YAML::Node& node, std::string_view why) {
    return fail(Code::malformed, fmt::format("line {}: {}", line_of(node), why));
  }

  static Result<json::value> convert_scalar(const YAML::Node& node) {
    if (!node.IsScalar()) return json::value(nullptr);
    const auto& text = node.Scalar();
    if (node.Tag() != "?") return json::value(json::string(text));  // quoted or a block
    if (is_one_of(text, {".inf", "-.inf", "+.inf", ".Inf", "-.Inf", ".nan", ".NaN"}))
      return refuse(node, fmt::format("'{}' has no form in JSON", text));
    return plain_scalar(text);
  }

  Result<json::value> convert_sequence(const YAML::Node& node, const std::string& pointer, std::size_t depth) {
    json::array array;
    for (const auto& element : node) {
      LO_ASSIGN(auto value, convert(element, fmt::format("{}/{}", pointer, array.size()), depth + 1));
      array.push_back(std::move(value));
    }
    return json::value(std::move(array));
  }

  Result<json::value> convert_map(const YAML::Node& node, const std::string& pointer, std::size_t depth) {
    json::object object;
    for (const auto& member : node) {
      if (!member.first.IsScalar()) return refuse(member.first, "a key must be plain text");
      const auto& key = member.first.Scalar();
      if (object.contains(key)) return refuse(member.first, fmt::format("the key '{}' stands here a second time", key));
      auto place = fmt::format("{}/{}", pointer, escaped(key));
      document_.lines[place] = line_of(member.first);
      LO_ASSIGN(auto value, convert(member.second, place, depth + 1));
      object[key] = std::move(value);
    }
    return json::value(std::move(object));
  }

  Document& document_;
  std::size_t values_ = 0;
};

}  // namespace

std::string Document::where(std::string_view pointer) const {
  for (auto place = pointer; !lines.empty();) {
    if (auto found = lines.find(place); found != lines.end()) return fmt::format("line {}", found->second);
    auto slash = place.rfind('/');
    if (slash == place.npos) break;
    place = place.substr(0, slash);
  }
  return std::string(pointer);
}

Result<Document> read_yaml(std::string_view text) {
  try {
    auto documents = YAML::LoadAll(std::string(text));
    if (documents.size() != 1)
      return fail(Code::malformed, fmt::format("the text holds {} YAML documents instead of one", documents.size()));
    Document document;
    LO_ASSIGN(document.value, Converter(document).convert(documents.front(), "", 1));
    return document;
  } catch (const YAML::Exception& error) {
    return fail(Code::malformed, fmt::format("line {}: {}", error.mark.line + 1, error.msg));
  }
}

Result<Document> read_json(std::string_view text) {
  LO_ASSIGN(auto value, parse_json(text));
  return Document{.value = std::move(value), .lines = {}};
}

}  // namespace lo::workflow
