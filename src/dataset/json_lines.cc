#include "dataset/json_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dataset/shown.h"

namespace lo::dataset {

JsonLines::JsonLines(Source text, std::size_t block_bytes, std::size_t max_line_bytes)
    : text_(std::move(text)), block_bytes_(std::min(block_bytes, max_line_bytes)), max_line_bytes_(max_line_bytes) {}

Result<std::string_view> JsonLines::beginning() {
  LO_TRY(fill());
  return std::string_view(rest_).substr(0, rest_.rfind('\n') + 1);  // npos + 1 is 0
}

Result<std::optional<JsonBlock>> JsonLines::next(std::int64_t max_lines) {
  LO_TRY(fill());
  auto waiting = std::string_view(rest_).substr(given_);
  if (waiting.empty()) return std::nullopt;
  std::int64_t lines = 0;
  std::size_t size = 0;
  for (; lines < max_lines; ++lines) {
    auto end = waiting.find('\n', size);
    if (end == waiting.npos) break;
    size = end + 1;
  }
  JsonBlock block{.text = std::string(waiting.substr(0, size)),
                  .lines_before = std::exchange(lines_, lines_ + lines),
                  .bytes_taken = text_->bytes_taken(),
                  .bytes_total = text_->bytes_total()};
  given_ += size;
  return block;
}

// Until a whole line waits, or nothing is left.
Status JsonLines::fill() {
  if (rest_.find('\n', given_) != rest_.npos) return {};
  rest_.erase(0, std::exchange(given_, 0));
  for (auto size = block_bytes_; true; size = std::min(size * 2, max_line_bytes_)) {
    LO_TRY(read_up_to(size));
    if (rest_.empty() || rest_.find('\n') != rest_.npos) return {};
    if (rest_.size() >= max_line_bytes_)
      return fail(Code::unacceptable, fmt::format("line {} has at least {} bytes: {}", lines_ + 1, max_line_bytes_, shown(rest_)));
  }
}

// A last line without an end gets one.
Status JsonLines::read_up_to(std::size_t size) {
  auto have = rest_.size();
  if (ended_ || have >= size) return {};
  Status read;
  rest_.resize_and_overwrite(size, [&](char* data, std::size_t) {
    while (have < size && !ended_ && read) {
      auto got = text_->read({data + have, size - have});
      if (!got) read = std::unexpected(got.error());
      have += got.value_or(0);
      ended_ = got && *got == 0;
    }
    return have;
  });
  if (ended_ && !rest_.empty() && rest_.back() != '\n') rest_ += '\n';
  return read;
}

namespace {

constexpr std::string_view kSpace = " \t\r\n";

// Commas between elements become line ends, and line ends within elements spaces: no text grows.
class ArrayAsLines final : public ByteSource {
 public:
  explicit ArrayAsLines(Source text) : text_(std::move(text)) {}

  Result<std::size_t> read(std::span<char> some) override {
    for (;;) {
      LO_ASSIGN(auto got, text_->read(some));
      if (state_ == State::other) return got;
      if (got == 0) return end();
      LO_ASSIGN(auto made, rewrite(some.first(got)));
      if (made > 0) return made;
    }
  }
  std::int64_t bytes_taken() const override { return text_->bytes_taken(); }
  std::optional<std::int64_t> bytes_total() const override { return text_->bytes_total(); }

 private:
  enum class State { begin, other, array, behind };

  Result<std::size_t> end() const {
    if (state_ == State::array)
      return fail(Code::unacceptable, fmt::format("the JSON array is not closed: the file ends in row {}", row_));
    return 0;
  }

  Result<std::size_t> rewrite(std::span<char> some) {
    std::size_t to = 0;
    for (std::size_t at = 0; at < some.size(); ++at) {
      bool is_space = kSpace.contains(some[at]);
      if (state_ == State::begin && !is_space) {
        state_ = some[at] == '[' ? State::array : State::other;
        if (state_ == State::other) return to + move_down(some, at, to);
        continue;
      }
      if (state_ == State::behind && !is_space)
        return fail(Code::unacceptable, fmt::format("the JSON array ends after row {}, and the file goes on: {}", row_, shown({&some[at], 1})));
      if (state_ == State::array) {
        LO_ASSIGN(some[to], inside(some[at], is_space));
        ++to;
      } else if (state_ == State::begin && some[at] == '\n') {
        some[to++] = '\n';  // so that lines are counted right
      }
    }
    return to;
  }

  static std::size_t move_down(std::span<char> some, std::size_t from, std::size_t to) {
    std::ranges::copy(some.subspan(from), some.begin() + static_cast<std::ptrdiff_t>(to));
    return some.size() - from;
  }

  Result<char> inside(char c, bool is_space) {
    if (in_text_) {
      in_text_ = escaped_ || c != '"';
      escaped_ = c == '\\' && !escaped_;
      return c;
    }
    if (is_space) return ' ';
    if (depth_ == 0 && (c == ',' || c == ']')) return end_element(c);
    has_element_ = true;
    in_text_ = c == '"';
    if (c == '[' || c == '{') ++depth_;
    if (c == ']' || c == '}') depth_ = std::max<std::int64_t>(0, depth_ - 1);
    return c;
  }

  Result<char> end_element(char c) {
    if (!has_element_ && (c == ',' || row_ > 1))
      return fail(Code::unacceptable, fmt::format("row {} of the JSON array is missing before '{}'", row_, c));
    has_element_ = false;
    if (c == ']')
      state_ = State::behind;
    else
      ++row_;
    return '\n';
  }

  Source text_;
  State state_ = State::begin;
  bool in_text_ = false;
  bool escaped_ = false;
  bool has_element_ = false;
  std::int64_t depth_ = 0;
  std::int64_t row_ = 1;
};

}  // namespace

Source array_as_lines(Source text) { return std::make_unique<ArrayAsLines>(std::move(text)); }

}  // namespace lo::dataset
