#include "dataset/text_counts.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <map>

namespace lo::dataset {
namespace {

using Counts = std::map<std::string, std::int64_t, std::less<>>;

template <class Builder = arrow::StringBuilder>
std::shared_ptr<arrow::Array> array_of(const std::vector<std::optional<std::string>>& values) {
  Builder builder;
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

Counts counts_in(const arrow::Array& values, std::span<const std::int64_t> counts = {}) {
  Counts found;
  for (const auto& [text, hash, count] : count_texts(values, counts)) EXPECT_TRUE(found.emplace(text, count).second) << text << " is there twice";
  return found;
}

TEST(TextCounts, EachTextOnce) {
  Counts expected{{"", 1}, {"a", 2}, {"b", 1}};
  std::vector<std::optional<std::string>> values{"a", {}, "b", "", "a"};
  EXPECT_EQ(counts_in(*array_of(values)), expected);
  EXPECT_EQ(counts_in(*array_of<arrow::LargeStringBuilder>(values)), expected);
  EXPECT_EQ(counts_in(*array_of<arrow::StringViewBuilder>(values)), expected);
  EXPECT_EQ(counts_in(*array_of(values)->Slice(2)), (Counts{{"", 1}, {"a", 1}, {"b", 1}}));
  EXPECT_EQ(counts_in(*array_of({})), Counts());
}

TEST(TextCounts, OfTextsThatAreCountedAlready) {
  std::vector<std::int64_t> counts{2, 5, 3, 0};
  EXPECT_EQ(counts_in(*array_of({"a", {}, "a", "b"}), counts), (Counts{{"a", 5}}));
}

TEST(TextCounts, OfMany) {
  std::vector<std::optional<std::string>> values;
  for (int i = 0; i < 30'000; ++i) values.emplace_back("text " + std::to_string(i * i % 10'007));
  Counts expected;
  for (const auto& value : values) ++expected[*value];
  EXPECT_EQ(counts_in(*array_of(values)), expected);
}

TEST(TextCounts, LongTextsAreCutAfterACharacter) {
  std::string just(kShownCharacters, 'a');
  EXPECT_EQ(cut(just), just);
  EXPECT_EQ(cut(just + "b"), just + "…");
  std::string umlauts;
  for (int i = 0; i < kShownCharacters; ++i) umlauts += "ä";
  EXPECT_EQ(cut(umlauts), umlauts);
  EXPECT_EQ(cut(umlauts + "é"), umlauts + "…");
  EXPECT_EQ(length_of(umlauts), kShownCharacters);
  EXPECT_LT(cut(std::string(100'000, '\x80')).size(), 1000);  // no UTF-8
}

}  // namespace
}  // namespace lo::dataset
