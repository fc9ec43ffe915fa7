// Generated CSV files, read by us and by a parser that goes character by character: the cells must be the same.
#include <gtest/gtest.h>
#include <random>

#include "dataset/naive_csv.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string file() {
    auto columns = 1 + pick(5);
    auto rows = pick(8) == 0 ? 40'000 : pick(40);
    std::string end = std::vector<std::string>{"\n", "\r\n", "\r"}[pick(3)];
    std::string text;
    for (std::size_t i = 0; i < columns; ++i) text += (i > 0 ? ",c" : "c") + std::to_string(i);
    for (std::size_t row = 0; row < rows; ++row) text += end + line(columns);
    return pick(2) == 0 ? text : text + end;
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  std::string line(std::size_t columns) {
    std::string text;
    for (std::size_t i = 0; i < columns; ++i) text += (i > 0 ? "," : "") + cell(columns == 1);
    return text;
  }

  std::string cell(bool not_empty) {
    if (pick(3) > 0) return plain(not_empty);
    if (pick(8) == 0) return plain(true) + "\"" + plain(false);         // a quote inside
    if (pick(8) == 0) return "\"a\"\"b\"" + plain(true) + "\"c";  // more after the closing quote
    std::string text = "\"";
    for (auto size = pick(12); size > 0; --size)
      text += std::vector<std::string>{"a", "\"\"", ",", "\n", "\r\n", "é", " ", "\r"}[pick(8)];
    return text + "\"";
  }

  std::string plain(bool not_empty) {
    std::string text = not_empty ? "x" : "";
    for (auto size = pick(10); size > 0; --size) text += std::vector<std::string>{"a", "1", " ", "é", ".", "'", "-"}[pick(7)];
    return text;
  }

  std::mt19937 random_;
};

class CsvDifferential : public FolderTest {};

Rows cells_of(const json::array& documents) {
  Rows rows;
  for (const auto& document : documents) {
    auto& row = rows.emplace_back();
    for (const auto& member : document.as_object())
      if (member.key() != "_id") row.emplace_back(member.value().as_string());
  }
  return rows;
}

TEST_F(CsvDifferential, SameCellsAsANaiveParser) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    auto text = Generator(seed).file();
    auto expected = NaiveCsv::parse(text + "\n");
    expected.erase(expected.begin());
    auto parquet = table(text);
    ASSERT_EQ(cells_of(read_page(parquet, 0, 1'000'000).value()), expected) << "seed " << seed;
    std::filesystem::remove(parquet);
  }
}

}  // namespace
}  // namespace lo::dataset
