#include "dataset/python_literal.h"

#include <fmt/format.h>
#include <array>
#include <charconv>
#include <cstdint>

#include "base/json.h"

namespace lo::dataset {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWords{
    {{"True", "true"}, {"False", "false"}, {"None", "null"}}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Translator {
 public:
  explicit Translator(std::string_view literal) : rest_(literal) {}

  Result<std::string> run() {
    while (!rest_.empty()) {
      char c = rest_.front();
      if (c == '\'' || c == '"') {
        LO_TRY(string());
      } else if (is_letter(c)) {
        word();
      } else {
        out_ += c;
        rest_.remove_prefix(1);
      }
    }
    return std::move(out_);
  }

 private:
  static std::unexpected<Error> wrong(std::string_view what) {
    return fail(Code::malformed, fmt::format("the query is neither JSON nor a Python dict: {}", what));
  }

  char take() {
    char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void word() {
    std::size_t size = 0;
    while (size < rest_.size() && is_letter(rest_[size])) ++size;
    auto text = rest_.substr(0, size);
    for (auto [python, json_word] : kWords)
      if (text == python) text = json_word;
    out_ += text;
    rest_.remove_prefix(size);
  }

  Status string() {
    char quote = take();
    std::string text;
    while (!rest_.empty() && rest_.front() != quote) {
      char c = take();
      if (c != '\\') text += c;
      if (c == '\\') LO_TRY(escape(text));
    }
    if (rest_.empty()) return wrong("a string is not closed");
    take();
    out_ += json::serialize(json::string(text));
    return {};
  }

  Status escape(std::string& text) {
    if (rest_.empty()) return wrong("a string is not closed");
    char c = take();
    constexpr std::string_view kFrom = "\\'\"nrtabfv0";
    constexpr std::string_view kTo{"\\'\"\n\r\t\a\b\f\v\0", 11};
    if (auto at = kFrom.find(c); at != std::string_view::npos) {
      text += kTo[at];
      return {};
    }
    if (c == 'x') return code_point(2, text);
    if (c == 'u') return code_point(4, text);
    if (c == 'U') return code_point(8, text);
    return wrong(fmt::format("the escape \\{}", c));
  }

  Status code_point(std::size_t digits, std::string& text) {
    std::uint32_t code = 0;
    auto hex = rest_.substr(0, digits);
    auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    bool is_surrogate = code >= 0xd800 && code < 0xe000;
    if (hex.size() < digits || end != hex.data() + digits || error != std::errc() || is_surrogate || code > 0x10ffff)
      return wrong(fmt::format("the character code '{}'", hex));
    rest_.remove_prefix(digits);
    append_utf8(code, text);
    return {};
  }

  static void append_utf8(std::uint32_t code, std::string& text) {
    auto tail = [&](unsigned shift) { text += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xc0 | (code >> 6));
      tail(0);
    } else if (code < 0x10000) {
      text += static_cast<char>(0xe0 | (code >> 12));
      tail(6), tail(0);
    } else {
      text += static_cast<char>(0xf0 | (code >> 18));
      tail(12), tail(6), tail(0);
    }
  }

  std::string_view rest_;
  std::string out_;
};

}  // namespace

Result<std::string> python_to_json(std::string_view literal) { return Translator(literal).run(); }

}  // namespace lo::dataset
