#include "dataset/csv_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dataset/naive_csv.h"

namespace lo::dataset {
namespace {

using ::testing::ElementsAre;

Rows rows_of(std::string_view text, const CsvRows& found, std::size_t columns) {
  Rows rows(static_cast<std::size_t>(found.rows));
  for (std::size_t i = 0; i < rows.size() * columns; ++i) rows[i / columns].push_back(cell_text(text, found.cells.at(i)));
  return rows;
}

TEST(CsvScan, KnowsWhatIsWholeAndWhatItTook) {
  std::string_view text = "\n1,2\r\n\r\n\"a,\"\"\n\",\n3,";
  auto found = scan_csv(text, ',', 2);
  EXPECT_EQ(rows_of(text, found, 2), (Rows{{"1", "2"}, {"a,\"\n", ""}}));
  EXPECT_EQ(text.substr(found.bytes), "3,");
  EXPECT_EQ(found.cells.size(), 4u);
  EXPECT_FALSE(found.ragged);
}

TEST(CsvScan, OnlyACellThatWasWrittenOtherwiseIsCoded) {
  std::string_view text = "a,\"b\",\"c\"\"\",\"d\"e,f\"\n";
  auto found = scan_csv(text, ',', 5);
  std::vector<bool> coded;
  for (const auto& cell : found.cells) coded.push_back(cell.coded != 0);
  EXPECT_THAT(coded, ElementsAre(false, false, true, true, false));
  EXPECT_EQ(rows_of(text, found, 5), (Rows{{"a", "b", "c\"", "de", "f\""}}));
}

TEST(CsvScan, TheFirstRaggedRowEndsIt) {
  std::string_view text = "1,2\n3\n4,5\n";
  auto found = scan_csv(text, ',', 2);
  EXPECT_EQ(found.rows, 1);
  EXPECT_EQ(found.cells.size(), 2u);
  ASSERT_TRUE(found.ragged);
  EXPECT_EQ(found.ragged->cells, 1u);
  EXPECT_EQ(found.ragged->text, "3");
}

TEST(CsvScan, TheFirstRowHasAnyNumberOfCells) {
  std::string_view text = "\r\na;\"b;c\"\r\n1;2;3\n";
  auto found = scan_first_row(text, ';');
  EXPECT_EQ(rows_of(text, found, 2), (Rows{{"a", "b;c"}}));
  EXPECT_EQ(text.substr(found.bytes), "1;2;3\n");
  EXPECT_EQ(scan_first_row("a;b", ';').rows, 0);
  EXPECT_EQ(scan_first_row("a;\"b\n", ';').rows, 0);
}

// What a scan of all texts must give: the rows up to the first that has another number of cells.
void compare(std::string_view text, std::size_t columns) {
  auto expected = NaiveCsv::parse(text);
  auto ragged = std::ranges::find_if(expected, [&](const auto& row) { return row.size() != columns; });
  auto found = scan_csv(text, ',', columns);
  ASSERT_EQ(found.ragged.has_value(), ragged != expected.end()) << text;
  ASSERT_EQ(found.ragged ? found.ragged->cells : 0, ragged == expected.end() ? 0 : ragged->size()) << text;
  expected.erase(ragged, expected.end());
  ASSERT_EQ(rows_of(text, found, columns), expected) << text;
}

TEST(CsvScan, IsTheSameAsCharacterByCharacter) {
  std::mt19937 random(33);
  auto pick = [&](std::size_t below) { return random() % below; };
  const std::vector<std::string> parts{",", ",", "\n", "\r", "\r\n", "\"", "\"", "\"\"", "a", "bc", " ", "é", std::string(70, 'x'), "\",\"", "\n\""};
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (auto size = pick(30); size > 0; --size) text += parts[pick(parts.size())];
    ASSERT_NO_FATAL_FAILURE(compare(text, 1 + pick(3)));
  }
}

// Rows that have the right number of cells, of any length: their separators lie everywhere in the windows.
TEST(CsvScan, IsTheSameForRowsThatAreRight) {
  std::mt19937 random(7);
  auto pick = [&](std::size_t below) { return random() % below; };
  for (int i = 0; i < 3'000; ++i) {
    auto columns = 1 + pick(4);
    std::string text;
    for (auto rows = pick(20); rows > 0; --rows)
      for (std::size_t column = 0; column < columns; ++column) {
        std::string cell(1 + pick(pick(10) == 0 ? 200 : 12), static_cast<char>('a' + pick(26)));
        if (pick(4) == 0) cell = "\"" + cell + (pick(2) == 0 ? "\"\"" : ",\n") + "\"";
        text += cell + (column + 1 < columns ? "," : "\n");
      }
    ASSERT_NO_FATAL_FAILURE(compare(text, columns));
    ASSERT_EQ(scan_csv(text, ',', columns).bytes, text.size());
  }
}

}  // namespace
}  // namespace lo::dataset
