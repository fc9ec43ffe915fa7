// One line of JSON as a flat list of its values, so that it is parsed once, whatever is done with it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lo::dataset {

enum class JsonKind : std::uint8_t { null, boolean, integer, number, text, list, object };

// A value. What a list or an object holds follows it.
struct JsonToken {
  std::string_view key = {};   // of a member of an object
  std::string_view text = {};  // of a text, decoded; of a number and a boolean as it is written
  std::uint32_t size = 1;      // tokens, with those of what it holds
  JsonKind kind = JsonKind::null;
};

// A value, its token first.
using JsonTokens = std::span<const JsonToken>;

// The values that a list or an object holds: for (auto each : JsonParts(tokens)).
class JsonParts {
 public:
  explicit JsonParts(JsonTokens whole) : rest_(whole.subspan(1)) {}

  class Iterator {
   public:
    explicit Iterator(JsonTokens rest) : rest_(rest) {}
    JsonTokens operator*() const { return rest_.first(rest_.front().size); }
    Iterator& operator++() {
      rest_ = rest_.subspan(rest_.front().size);
      return *this;
    }
    bool operator!=(const Iterator& other) const { return rest_.size() != other.rest_.size(); }

   private:
    JsonTokens rest_;
  };

  Iterator begin() const { return Iterator(rest_); }
  Iterator end() const { return Iterator(rest_.last(0)); }

 private:
  JsonTokens rest_;
};

// A value as JSON text without spaces; numbers stand as they were written.
std::string json_text(JsonTokens value);

// Parses lines one after another. One thread at a time.
class JsonTape {
 public:
  JsonTape();
  ~JsonTape();
  JsonTape(const JsonTape&) = delete;
  JsonTape& operator=(const JsonTape&) = delete;

  // The value that `line` holds; nothing when it is not one JSON value (RFC 8259, UTF-8, at most kMaxJsonDepth deep). Repeated keys are left in.
  // Valid until the next call, and as long as the line is.
  JsonTokens read(std::string_view line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lo::dataset
