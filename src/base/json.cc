#include "base/json.h"

#include "base/json_reader.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/text.h"

namespace lo {
namespace {

using ErrorCode = boost::system::error_code;

// The keys of one object so far. Most objects have few, which are compared in turn.
class Keys {
 public:
  // False when the key is there already.
  bool add(std::string_view key) {
    constexpr std::size_t kFew = 16;
    if (!many_.empty()) return many_.emplace(key).second;
    if (std::ranges::find(few_, key) != few_.end()) return false;
    few_.emplace_back(key);
    if (few_.size() > kFew) many_.insert(few_.begin(), few_.end());
    return true;
  }

 private:
  std::vector<std::string> few_;
  std::unordered_set<std::string> many_;
};

// What the parser meets becomes a value. Differs from Boost's own handler in that repeated keys are refused and doubles are
// exact. Where it refuses, `problem` says why.
class Handler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  // For the next text.
  void reset(json::storage_ptr storage) {
    stack_.reset(std::move(storage));
    keys_.clear();
    partial_.clear();
    problem_.clear();
  }

  json::value release() { return stack_.release(); }
  const std::string& problem() const { return problem_; }

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t members, ErrorCode&) {
    keys_.pop_back();
    stack_.push_object(members);
    return true;
  }
  bool on_array_begin(ErrorCode&) { return true; }
  bool on_array_end(std::size_t elements, ErrorCode&) {
    stack_.push_array(elements);
    return true;
  }
  bool on_key_part(std::string_view part, std::size_t, ErrorCode&) {
    partial_ += part;
    return true;
  }
  bool on_key(std::string_view rest, std::size_t, ErrorCode& error) {
    auto key = take_whole(rest);
    stack_.push_key(key);
    if (keys_.back().add(key)) return true;
    return refuse(fmt::format("the key \"{}\" is repeated", printable(key)), error);
  }
  bool on_string_part(std::string_view part, std::size_t, ErrorCode&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(std::string_view rest, std::size_t, ErrorCode&) {
    stack_.push_string(rest);
    return true;
  }
  bool on_number_part(std::string_view part, ErrorCode&) {
    partial_ += part;
    return true;
  }
  bool on_int64(std::int64_t number, std::string_view, ErrorCode&) {
    partial_.clear();
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, std::string_view, ErrorCode&) {
    partial_.clear();
    stack_.push_uint64(number);
    return true;
  }
  // Boost's own `approximate` may be off by a few units in the last place.
  bool on_double(double approximate, std::string_view rest, ErrorCode& error) {
    auto text = take_whole(rest);
    double number = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc::result_out_of_range) {
      if (std::abs(approximate) > 1) return refuse(fmt::format("the number {} is too large", printable(text, 40)), error);
      number = 0;
    }
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool value, ErrorCode&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(ErrorCode&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(std::string_view, ErrorCode&) { return true; }
  bool on_comment(std::string_view, ErrorCode&) { return true; }

 private:
  std::string take_whole(std::string_view rest) { return std::exchange(partial_, {}).append(rest); }

  bool refuse(std::string problem, ErrorCode& error) {
    problem_ = std::move(problem);
    error = json::error::syntax;
    return false;
  }

  json::value_stack stack_;
  std::vector<Keys> keys_;  // of the objects that are open
  std::string partial_;                                // of a key or number whose beginning was in an earlier piece
  std::string problem_;
};

using Parser = json::basic_parser<Handler>;

json::parse_options with_depth(std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  return options;
}

// Reads the first `whole` bytes at once and the rest in pieces of `step`; gives the offset of the first piece that is refused.
std::size_t refused_piece(std::string_view text, std::size_t whole, std::size_t step, std::size_t max_depth) {
  Parser parser(with_depth(max_depth));
  ErrorCode error;
  parser.write_some(true, text.data(), whole, error);
  for (auto at = whole; at < text.size(); at += step) {
    auto piece = text.substr(at, step);
    if (auto read = parser.write_some(true, piece.data(), piece.size(), error); error || read < piece.size()) return at;
  }
  return text.size();
}

// The parser does not tell where it stopped, so a refused text is read again: in blocks, then the refused block by bytes.
std::size_t error_offset(std::string_view text, std::size_t max_depth) {
  constexpr std::size_t kBlock = 4096;
  return refused_piece(text, refused_piece(text, 0, kBlock, max_depth), 1, max_depth);
}

std::string position_of(std::string_view text, std::size_t offset) {
  auto before = text.substr(0, offset);
  auto line = std::ranges::count(before, '\n') + 1;
  auto current = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
  auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return fmt::format("line {}, column {}", line, std::ranges::count_if(current, starts_character) + 1);
}

std::string explain(const ErrorCode& error, const Handler& handler, std::size_t max_depth) {
  if (!handler.problem().empty()) return handler.problem();
  if (error == json::error::too_deep) return fmt::format("nested deeper than {} levels", max_depth);
  if (error == json::error::incomplete) return "the text ends too early";
  if (error == json::error::extra_data) return "more text after the end of the value";
  return error.message();
}

std::string_view kind_name(const json::value& value) {
  if (value.is_array()) return "an array";
  if (value.is_string()) return "a string";
  if (value.is_bool()) return "a boolean";
  if (value.is_null()) return "null";
  return "a number";
}

}  // namespace

struct JsonReader::Impl {
  std::size_t max_depth;
  Parser parser{with_depth(max_depth)};
};

JsonReader::JsonReader(std::size_t max_depth) : impl_(std::make_unique<Impl>(max_depth)) {}
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;
JsonReader::~JsonReader() = default;

Result<json::value> JsonReader::read(std::string_view text, json::storage_ptr storage) {
  auto& [max_depth, parser] = *impl_;
  parser.reset();
  parser.handler().reset(std::move(storage));
  ErrorCode error;
  auto read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (!error) return parser.handler().release();
  return fail(Code::malformed, fmt::format("invalid JSON at {}: {}", position_of(text, error_offset(text, max_depth)),
                                           explain(error, parser.handler(), max_depth)));
}

Result<json::value> parse_json(std::string_view text, std::size_t max_depth) { return JsonReader(max_depth).read(text); }

Result<json::object> parse_json_object(std::string_view text, std::size_t max_depth) {
  LO_ASSIGN(auto value, parse_json(text, max_depth));
  if (!value.is_object()) return fail(Code::malformed, fmt::format("the JSON must be an object, not {}", kind_name(value)));
  return std::move(value.as_object());
}

std::string string_or(const json::object& object, std::string_view key, std::string_view fallback) {
  const auto* value = object.if_contains(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return std::string(text == nullptr ? fallback : std::string_view(*text));
}

json::object object_or_empty(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

}  // namespace lo
