// The first and the last part of a text that may be endless: functionMessage.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace lo::run {

class MessageEnds {
 public:
  static constexpr std::size_t kPart = 32 * 1024;

  void append(std::span<const char> text);

  // Both parts as valid UTF-8, with a marker between them if anything is left out.
  std::string text() const;

  std::int64_t bytes() const { return bytes_; }  // of the whole text

 private:
  std::int64_t bytes_ = 0;
  std::string first_;  // up to kPart
  std::string last_;   // up to twice kPart, cut now and then
};

}  // namespace lo::run
