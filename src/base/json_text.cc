// The writing half of json.h.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace lo {
namespace {

enum class Keys { as_they_are, sorted };

class Writer {
 public:
  explicit Writer(Keys keys) : keys_(keys) {}

  std::string write(const json::value& value) {
    append(value);
    return std::move(out_);
  }

 private:
  void append(const json::value& value) {
    switch (value.kind()) {
      case json::kind::object: return append(value.get_object());
      case json::kind::array: return append(value.get_array());
      case json::kind::string: return append_text(value.get_string());
      case json::kind::double_: return append(value.get_double());
      default: out_ += json::serialize(value);
    }
  }

  void append(const json::object& object) {
    std::vector<const json::key_value_pair*> members;
    for (const auto& member : object) members.push_back(&member);
    if (keys_ == Keys::sorted) std::ranges::sort(members, {}, [](const auto* member) { return member->key(); });
    out_ += '{';
    for (const auto* member : members) {
      if (member != members.front()) out_ += ',';
      append_text(member->key());
      out_ += ':';
      append(member->value());
    }
    out_ += '}';
  }

  void append(const json::array& array) {
    out_ += '[';
    for (const auto& element : array) {
      if (&element != array.begin()) out_ += ',';
      append(element);
    }
    out_ += ']';
  }

  void append_text(std::string_view text) { out_ += json::serialize(json::string_view(to_utf8(text))); }

  void append(double number) {
    if (!std::isfinite(number)) {
      out_ += "null";
      return;
    }
    std::array<char, 32> digits{};
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    out_ += text;
    if (text.find_first_of(".e") == std::string_view::npos) out_ += ".0";  // stays a double when it is read again
  }

  Keys keys_;
  std::string out_;
};

}  // namespace

std::string write_json(const json::value& value) { return Writer(Keys::as_they_are).write(value); }
std::string canonical_json(const json::value& value) { return Writer(Keys::sorted).write(value); }

}  // namespace lo
