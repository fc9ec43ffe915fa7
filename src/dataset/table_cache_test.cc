#include "dataset/table_cache.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <random>

#include "dataset/query.h"
#include "dataset/table_file.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;

TEST(Lru, KeepsWhatWasUsedLast) {
  Lru<int> lru(10);
  lru.put("a", 1, 4);
  lru.put("b", 2, 4);
  EXPECT_EQ(lru.find("a"), 1);
  lru.put("c", 3, 4);  // too much: b was used longest ago
  EXPECT_EQ(lru.find("b"), std::nullopt);
  EXPECT_EQ(lru.find("a"), 1);
  EXPECT_EQ(lru.find("c"), 3);
  EXPECT_EQ(lru.weight(), 8U);
}

TEST(Lru, WeighsWhatIsPutAgainOnce) {
  Lru<int> lru(10);
  lru.put("a", 1, 9);
  lru.put("a", 2, 3);
  EXPECT_EQ(lru.find("a"), 2);
  EXPECT_EQ(lru.weight(), 3U);
  lru.put("a", 3, 11);  // never fits, and the old one is no longer right
  EXPECT_EQ(lru.find("a"), std::nullopt);
  EXPECT_EQ(lru.weight(), 0U);
}

class Cached : public FolderTest {
 protected:
  // Columns of every type a CSV file can have, some with nulls, of several groups and pages.
  std::filesystem::path many_rows(int rows) {
    std::string csv = "text,few,whole,part,flag,time,gap\n";
    for (int i = 0; i < rows; ++i)
      csv += fmt::format("name{},{},{},{}.5,{},2026-01-{:02}T00:00:{:02},{}\n", i * 7919 % 100'003, i % 5, i, i, i % 3 == 0, i % 28 + 1, i % 60,
                         i % 4 == 0 ? "" : std::to_string(i));
    return table(std::move(csv), {.infer = true});
  }

  static std::string page(const std::filesystem::path& path, std::int64_t skip, std::int64_t limit, TableCache* cache, const ShownFields& fields = {}) {
    auto read = read_page(path, skip, limit, fields, cache);
    return read ? json::serialize(*read) : read.error().message;
  }
};

// What was written as row i, whichever pages it lies in.
TEST_F(Cached, EveryRowIsItself) {
  auto path = many_rows(150'000);
  auto read = TableReader::open(path).value();
  ASSERT_GT(read.groups(), 1);
  for (std::int64_t row : {0, 1, 2047, 2048, 8191, 8192, 8193, 65'535, 65'536, 131'071, 149'999}) {
    auto document = read_page(path, row, 1).value().at(0).as_object();
    EXPECT_EQ(document["_id"], row + 1);
    EXPECT_EQ(document["whole"], row);
    EXPECT_EQ(document["text"].as_string(), fmt::format("name{}", row * 7919 % 100'003));
    EXPECT_EQ(document["part"], static_cast<double>(row) + 0.5);
    EXPECT_EQ(document["few"], row % 5);
    EXPECT_EQ(document["flag"], row % 3 == 0);
    EXPECT_EQ(document["time"].as_string(), fmt::format("2026-01-{:02}T00:00:{:02}Z", row % 28 + 1, row % 60));
    EXPECT_EQ(document["gap"], row % 4 == 0 ? json::value(nullptr) : json::value(row));
  }
}

TEST_F(Cached, APageIsTheSameHoweverItIsRead) {
  auto path = many_rows(70'000);
  TableCache large(64 << 20);
  TableCache small(200'000);  // most of it does not stay
  std::mt19937 random(33);
  for (int i = 0; i < 60; ++i) {
    auto skip = static_cast<std::int64_t>(random() % 70'000);
    auto limit = static_cast<std::int64_t>(random() % 5'000);
    ShownFields fields = i % 3 == 0 ? ShownFields{"gap", "text"} : ShownFields{};
    auto plain = page(path, skip, limit, nullptr, fields);
    ASSERT_EQ(page(path, skip, limit, &large, fields), plain);
    ASSERT_EQ(page(path, skip, limit, &small, fields), plain);
    ASSERT_LE(small.columns.weight(), 200'000U);
  }
  EXPECT_GT(large.columns.weight(), 0U);
}

TEST_F(Cached, WhatIsKnownIsNotReadAgain) {
  auto path = many_rows(30'000);
  TableCache cache(64 << 20);
  auto before = page(path, 100, 20, &cache);
  std::filesystem::remove(path);
  EXPECT_EQ(page(path, 100, 20, &cache), before);
  EXPECT_THAT(page(path, 20'000, 20, &cache), HasSubstr("open the table"));
}

// Whoever cuts a file short gets an error, not the server.
TEST_F(Cached, AFileThatWasCutShortIsAnError) {
  auto path = many_rows(30'000);
  TableCache cache(64 << 20);
  page(path, 100, 20, &cache);
  std::filesystem::resize_file(path, 5'000);
  EXPECT_THAT(page(path, 29'000, 20, &cache), HasSubstr("table"));
  EXPECT_FALSE(read_page(path, 29'000, 20, {}, &cache));
  EXPECT_FALSE(read_page(path, 0, 20));
}

TEST_F(Cached, AnArrowFileThatWasCutShortIsAnError) {
  arrow::DoubleBuilder numbers;
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(numbers.Append(i).ok());
  auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::float64())}), 100'000, {numbers.Finish().ValueOrDie()});
  auto file = arrow::io::FileOutputStream::Open(path("n.arrow").string()).ValueOrDie();
  auto writer = arrow::ipc::MakeFileWriter(file, batch->schema()).ValueOrDie();
  ASSERT_TRUE(writer->WriteRecordBatch(*batch).ok() && writer->Close().ok() && file->Close().ok());
  auto read = TableReader::open(path("n.arrow")).value();
  EXPECT_EQ(read_page(path("n.arrow"), 99'999, 1).value(), (json::array{{{"_id", 100'000}, {"n", 99'999}}}));
  std::filesystem::resize_file(path("n.arrow"), 50'000);
  EXPECT_EQ(read.read(1).error().code, Code::corrupt);
  EXPECT_FALSE(read_page(path("n.arrow"), 0, 1));
}

}  // namespace
}  // namespace lo::dataset
