#include "dataset/json_tape.h"

#include <boost/json/basic_parser_impl.hpp>

#include "base/json.h"

namespace lo::dataset {
namespace {

using ErrorCode = boost::system::error_code;

// What the parser meets becomes tokens. A line is parsed in one piece, so that only texts with escapes come in parts.
class Handler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  // No text is longer decoded than it is written: `decoded_` never moves.
  void reset(std::string_view line) {
    line_ = line;
    tokens_.clear();
    open_.clear();
    decoded_.clear();
    decoded_.reserve(line.size());
    begun_ = 0;
  }
  JsonTokens tokens() const { return tokens_; }

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) { return begin(JsonKind::object); }
  bool on_object_end(std::size_t, ErrorCode&) { return end(); }
  bool on_array_begin(ErrorCode&) { return begin(JsonKind::list); }
  bool on_array_end(std::size_t, ErrorCode&) { return end(); }
  bool on_key_part(std::string_view part, std::size_t, ErrorCode&) { return add_part(part); }
  bool on_key(std::string_view rest, std::size_t, ErrorCode&) {
    key_ = whole(rest);
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, ErrorCode&) { return add_part(part); }
  bool on_string(std::string_view rest, std::size_t, ErrorCode&) { return add(JsonKind::text, whole(rest)); }
  bool on_number_part(std::string_view part, ErrorCode&) { return add_part(part); }
  bool on_int64(std::int64_t, std::string_view rest, ErrorCode&) { return add(JsonKind::integer, whole(rest)); }
  bool on_uint64(std::uint64_t, std::string_view rest, ErrorCode&) { return add(JsonKind::integer, whole(rest)); }
  // Also integers of many digits.
  bool on_double(double, std::string_view rest, ErrorCode&) {
    auto text = whole(rest);
    return add(text.find_first_of(".eE") == text.npos ? JsonKind::integer : JsonKind::number, text);
  }
  bool on_bool(bool value, ErrorCode&) { return add(JsonKind::boolean, value ? "true" : "false"); }
  bool on_null(ErrorCode&) { return add(JsonKind::null, {}); }
  bool on_comment_part(std::string_view, ErrorCode&) { return true; }
  bool on_comment(std::string_view, ErrorCode&) { return true; }

 private:
  bool add(JsonKind kind, std::string_view text) {
    tokens_.push_back({.key = std::exchange(key_, {}), .text = text, .size = 1, .kind = kind});
    return true;
  }
  bool begin(JsonKind kind) {
    open_.push_back(tokens_.size());
    return add(kind, {});
  }
  bool end() {
    tokens_[open_.back()].size = static_cast<std::uint32_t>(tokens_.size() - open_.back());
    open_.pop_back();
    return true;
  }
  bool add_part(std::string_view part) {
    decoded_ += part;
    return true;
  }

  // A text without escapes stays where it is in the line; what the parser decodes is gone after the call.
  std::string_view whole(std::string_view rest) {
    bool in_line = !std::less<>()(rest.data(), line_.data()) && std::less<>()(rest.data(), line_.data() + line_.size());
    if (in_line && begun_ == decoded_.size()) return rest;
    decoded_ += rest;
    return std::string_view(decoded_).substr(std::exchange(begun_, decoded_.size()));
  }

  std::string_view line_;
  std::vector<JsonToken> tokens_;
  std::vector<std::size_t> open_;  // lists and objects that have not ended
  std::string_view key_;
  std::string decoded_;
  std::size_t begun_ = 0;  // where in `decoded_` a text began that has not ended
};

json::parse_options with_depth() {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  return options;
}

void write_value(JsonTokens value, std::string& to) {
  const auto& token = value.front();
  auto is_object = token.kind == JsonKind::object;
  if (!is_object && token.kind != JsonKind::list) {
    to += token.kind == JsonKind::text ? json::serialize(token.text) : token.kind == JsonKind::null ? "null" : std::string(token.text);
    return;
  }
  auto separator = is_object ? '{' : '[';
  for (auto part : JsonParts(value)) {
    to += std::exchange(separator, ',');
    if (is_object) to += json::serialize(part.front().key) + ":";
    write_value(part, to);
  }
  if (separator != ',') to += separator;
  to += is_object ? '}' : ']';
}

}  // namespace

struct JsonTape::Impl {
  json::basic_parser<Handler> parser{with_depth()};
};

JsonTape::JsonTape() : impl_(std::make_unique<Impl>()) {}
JsonTape::~JsonTape() = default;

JsonTokens JsonTape::read(std::string_view line) {
  auto& parser = impl_->parser;
  parser.reset();
  parser.handler().reset(line);
  ErrorCode error;
  auto read = parser.write_some(false, line.data(), line.size(), error);
  return error || read < line.size() ? JsonTokens() : parser.handler().tokens();
}

std::string json_text(JsonTokens value) {
  std::string text;
  write_value(value, text);
  return text;
}

}  // namespace lo::dataset
