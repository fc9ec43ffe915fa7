#include "dataset/table_writer.h"

#include <arrow/io/file.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>

#include "dataset/table_file.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

class TableWriterTest : public FolderTest {
 protected:
  // 150,000 rows: texts that rise, that are all different without order, that come again, that do after the first ones alone; whole numbers.
  std::filesystem::path written() {
    std::string csv = "rising,mixed,few,late,number,code\n";
    for (int i = 0; i < 150'000; ++i)
      csv += fmt::format("{:07},x{},{},{},{},{}\n", i, i * 7919 % 150'001, i % 3 == 0 ? "yes" : "no", i < 20'000 ? 1 : i, i * 7919 % 150'001, i % 50);
    return table(csv, {.types = {{"number", Type::integer}, {"code", Type::integer}}});
  }

  static std::unique_ptr<parquet::ColumnChunkMetaData> chunk(const std::filesystem::path& path, int group, int column) {
    auto reader = parquet::ParquetFileReader::OpenFile(path.string());
    return reader->metadata()->RowGroup(group)->ColumnChunk(column);
  }

  static bool has_encoding(const parquet::ColumnChunkMetaData& chunk, parquet::Encoding::type encoding) {
    return std::ranges::find(chunk.encodings(), encoding) != chunk.encodings().end();
  }
};

enum Column { rising, mixed, few, late, number, code };

TEST_F(TableWriterTest, ADictionaryWhereValuesComeAgain) {
  auto path = written();
  for (int group = 0; group < 3; ++group) {
    EXPECT_FALSE(chunk(path, group, rising)->has_dictionary_page());
    EXPECT_FALSE(chunk(path, group, mixed)->has_dictionary_page());
    EXPECT_TRUE(chunk(path, group, few)->has_dictionary_page());
    EXPECT_TRUE(chunk(path, group, code)->has_dictionary_page());
    EXPECT_FALSE(chunk(path, group, number)->has_dictionary_page());
  }
  EXPECT_TRUE(has_encoding(*chunk(path, 0, number), parquet::Encoding::DELTA_BINARY_PACKED));
}

TEST_F(TableWriterTest, LeastAndGreatestWhereThereIsOrder) {
  auto path = written();
  auto read = TableReader::open(path).value();
  EXPECT_EQ(read.bounds(0, rising)->least, "0000000");
  EXPECT_FALSE(read.bounds(0, mixed));
  EXPECT_TRUE(read.bounds(0, number));
  EXPECT_EQ(read.bounds(1, code)->greatest, 49);
}

TEST_F(TableWriterTest, WhatIsWrittenIsRead) {
  auto path = written();
  auto page = read_page(path, 149'998, 2).value();
  EXPECT_EQ(write_json(page.at(1)), R"({"_id":150000,"rising":"0149999","mixed":"x134163","few":"no","late":"149999","number":134163,"code":49})");
  auto groups = TableReader::open(path).value().groups();
  EXPECT_GE(groups, 3);
}

TEST_F(TableWriterTest, ATableWithoutRows) {
  auto path = table("a,b\n", {.types = {{"b", Type::integer}}});
  EXPECT_EQ(TableReader::open(path).value().fields(), (std::vector<store::Field>{{"a", "string"}, {"b", "integer"}}));
  EXPECT_EQ(rows_of(path), "[]");
}

}  // namespace
}  // namespace lo::dataset
