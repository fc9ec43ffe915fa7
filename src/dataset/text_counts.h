// The different texts of a part of a column, each once. Pure.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lo::dataset {

struct TextCount {
  std::string_view text;  // the array's
  std::uint64_t hash;
  std::int64_t count;
};

bool is_text(const arrow::DataType& type);

// Nulls are left out. With `counts` each value of the array occurs so often, else once. In the order in which they come.
std::vector<TextCount> count_texts(const arrow::Array& values, std::span<const std::int64_t> counts = {});

// In characters: bytes that do not go on with one.
std::int64_t length_of(std::string_view text);

// Longer texts are shown by their first kShownCharacters, and "…".
inline constexpr std::int64_t kShownCharacters = 200;
std::string cut(std::string_view text);

}  // namespace lo::dataset
