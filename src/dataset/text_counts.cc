#include "dataset/text_counts.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <bit>

#include "dataset/distinct_sketch.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kShownBytes = 4 * kShownCharacters;  // also of what is not UTF-8

bool begins_character(char byte) { return (byte & 0xc0) != 0x80; }

class Counter {
 public:
  explicit Counter(std::size_t most) : places_(std::bit_ceil(2 * most + 1)) {}

  void add(std::string_view text, std::int64_t count) {
    auto hash = hash_of(text);
    for (auto at = hash;; ++at) {
      auto& place = places_[at & (places_.size() - 1)];
      if (place == 0) {
        found_.push_back({text, hash, count});
        place = static_cast<std::uint32_t>(found_.size());
        return;
      }
      auto& known = found_[place - 1];
      if (known.hash == hash && known.text == text) {
        known.count += count;
        return;
      }
    }
  }

  std::vector<TextCount> give() && { return std::move(found_); }

 private:
  std::vector<std::uint32_t> places_;  // by hash: the number of a text in found_, from 1; 0 is none
  std::vector<TextCount> found_;
};

template <class Array>
std::vector<TextCount> count_in(const Array& values, std::span<const std::int64_t> counts) {
  Counter counter(static_cast<std::size_t>(values.length()));
  for (std::int64_t row = 0; row < values.length(); ++row) {
    auto count = counts.empty() ? 1 : counts[static_cast<std::size_t>(row)];
    if (count > 0 && values.IsValid(row)) counter.add(values.GetView(row), count);
  }
  return std::move(counter).give();
}

}  // namespace

bool is_text(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING || type.id() == arrow::Type::STRING_VIEW;
}

std::vector<TextCount> count_texts(const arrow::Array& values, std::span<const std::int64_t> counts) {
  switch (values.type_id()) {
    case arrow::Type::STRING: return count_in(static_cast<const arrow::StringArray&>(values), counts);
    case arrow::Type::LARGE_STRING: return count_in(static_cast<const arrow::LargeStringArray&>(values), counts);
    case arrow::Type::STRING_VIEW: return count_in(static_cast<const arrow::StringViewArray&>(values), counts);
    default: return {};
  }
}

std::int64_t length_of(std::string_view text) { return std::ranges::count_if(text, begins_character); }

std::string cut(std::string_view text) {
  std::size_t end = 0;
  for (std::int64_t characters = 0; end < text.size() && end < kShownBytes; ++end)
    if (begins_character(text[end]) && ++characters > kShownCharacters) break;
  return end == text.size() ? std::string(text) : std::string(text.substr(0, end)) + "…";
}

}  // namespace lo::dataset
