// Text that is made from its beginning to its end, written in place.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace lo::dataset {

// Threads: one at a time.
class TextBuffer {
 public:
  // Room for about that many bytes.
  explicit TextBuffer(std::size_t expected = 0) {
    if (expected > 0) grow(expected);
  }

  // Where to write on, with room for `most` bytes; valid until the next call.
  char* room(std::size_t most) {
    if (text_.size() - used_ < most) grow(most);
    return text_.data() + used_;
  }
  // What was written there ends at `end`.
  void written_to(const char* end) { used_ = static_cast<std::size_t>(end - text_.data()); }

  void append(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    used_ += text.size();
  }
  void append(char c) {
    *room(1) = c;
    ++used_;
  }

  // What was written; nothing is left.
  std::string take() {
    text_.resize(std::exchange(used_, 0));
    return std::exchange(text_, {});
  }

 private:
  void grow(std::size_t most) {
    auto size = 2 * text_.size() + most + 256;
    text_.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
  }

  std::string text_;  // longer than what was written
  std::size_t used_ = 0;
};

}  // namespace lo::dataset
