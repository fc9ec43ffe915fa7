#include "run/message_ends.h"

#include <algorithm>

#include "base/text.h"
#include "run/log_writer.h"

namespace lo::run {

void MessageEnds::append(std::span<const char> text) {
  bytes_ += static_cast<std::int64_t>(text.size());
  auto head = std::min(text.size(), kPart - first_.size());
  first_.append(text.data(), head);
  text = text.subspan(head);
  auto tail = text.last(std::min(text.size(), kPart));
  if (last_.size() + tail.size() > 2 * kPart) last_.erase(0, last_.size() - std::min(last_.size(), kPart));
  last_.append(tail.data(), tail.size());
}

std::string MessageEnds::text() const {
  auto last = std::string_view(last_).substr(last_.size() - std::min(last_.size(), kPart));
  auto left_out = bytes_ - static_cast<std::int64_t>(first_.size() + last.size());
  if (left_out == 0) return to_utf8(first_ + std::string(last));
  return to_utf8(first_) + left_out_marker(left_out) + to_utf8(last);
}

}  // namespace lo::run
