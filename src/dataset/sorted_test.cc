#include "dataset/sorted.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dataset/table_cache.h"
#include "dataset/table_writer.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Sorted : public FolderTest {
 protected:
  // The `_id`s of a page.
  static std::vector<std::int64_t> ids(const std::filesystem::path& table, std::string_view sort, std::int64_t skip, std::int64_t limit,
                                       std::string_view query = "", TableCache* cache = nullptr) {
    auto found = find_sorted(table, parse_query(query).value(), {{"_id", 0}}, parse_sort(sort), skip, limit, {}, {}, cache);
    EXPECT_TRUE(found) << found.error().message;
    std::vector<std::int64_t> ids;
    for (const auto& document : found.value_or(json::array())) ids.push_back(document.at("_id").to_number<std::int64_t>());
    return ids;
  }

  static Error error(const std::filesystem::path& table, std::string_view sort, std::int64_t skip = 0) {
    return find_sorted(table, {}, {{"_id", 0}}, parse_sort(sort), skip, 20).error();
  }
};

TEST_F(Sorted, NothingFirstThenByValueThenById) {
  auto path = table("n,s\n3,b\n,a\n1,b\n3,a\n10,\n", {.types = {{"n", Type::number}}});
  EXPECT_THAT(ids(path, "n", 1, 9), ElementsAre(2, 3, 1, 4, 5));
  EXPECT_THAT(ids(path, "-n", 1, 9), ElementsAre(5, 1, 4, 3, 2));
  EXPECT_THAT(ids(path, "s", 1, 9), ElementsAre(5, 2, 4, 1, 3));
  EXPECT_THAT(ids(path, "-_id", 1, 9), ElementsAre(5, 4, 3, 2, 1));
}

TEST_F(Sorted, EveryTypeThatACsvFileCanHave) {
  auto path = table("n,b,t,i\nnan,true,2026-01-02,-5\n-inf,false,2026-01-01,7\n0.5,,,\n",
                    {.types = {{"n", Type::number}, {"b", Type::boolean}, {"t", Type::timestamp}, {"i", Type::integer}}});
  EXPECT_THAT(ids(path, "n", 1, 9), ElementsAre(1, 2, 3));
  EXPECT_THAT(ids(path, "-n", 1, 9), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids(path, "b", 1, 9), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids(path, "t", 1, 9), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids(path, "-i", 1, 9), ElementsAre(2, 1, 3));
}

TEST_F(Sorted, TheMetadataIsTheFirstDocumentOrNone) {
  auto path = table("n\n3\n1\n2\n", {.infer = true});
  EXPECT_THAT(ids(path, "n", 0, 2), ElementsAre(0, 2));
  EXPECT_THAT(ids(path, "n", 0, 0), ElementsAre());
  EXPECT_THAT(ids(path, "n", 2, 5), ElementsAre(3, 1));
  EXPECT_THAT(ids(path, "n", 0, 2, R"({"n": {"$gte": 2}})"), ElementsAre(3, 1));
  EXPECT_THAT(ids(path, "n", 1, 5, R"({"n": {"$gte": 2}})"), ElementsAre(1));
  EXPECT_THAT(ids(path, "n", 9, 5), ElementsAre());
  EXPECT_THAT(ids(table("n\n"), "n", 0, 5), ElementsAre(0));
}

TEST_F(Sorted, WhatIsWrongIsNamed) {
  auto path = table("name,n\nx,1\n");
  EXPECT_EQ(error(path, "nme").fields.at(0).pointer, "sort");
  EXPECT_THAT(error(path, "nme").fields.at(0).detail, HasSubstr("'name'"));
  EXPECT_EQ(error(path, "name", kMostSorted).fields.at(0).pointer, "skip");
  EXPECT_EQ(error(path, "").fields.at(0).pointer, "sort");

  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::Int64Builder>());
  ASSERT_TRUE(lists.AppendNull().ok());
  auto column = lists.Finish().ValueOrDie();
  auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("list", column->type())}), 1, {column});
  auto writer = TableWriter::open(this->path("lists.parquet"), batch->schema()).value();
  ASSERT_TRUE(writer.write(*batch) && writer.finish());
  EXPECT_THAT(error(this->path("lists.parquet"), "list").fields.at(0).detail, HasSubstr("no order"));
}

// Beside a plain sort of everything.
TEST_F(Sorted, PagesOfManyRows) {
  constexpr std::int64_t kRows = 200'000;
  std::mt19937 random(33);
  std::vector<int> keys;
  std::string csv = "n,even\n";
  for (std::int64_t i = 0; i < kRows; ++i) {
    keys.push_back(static_cast<int>(random() % 5'000));
    csv += fmt::format("{},{}\n", keys.back(), i % 2 == 0);
  }
  auto path = table(csv, {.infer = true});
  TableCache cache(8 << 20);
  for (bool descending : {false, true})
    for (bool even : {false, true}) {
      std::vector<std::int64_t> expected;
      for (std::int64_t i = 0; i < kRows; ++i)
        if (!even || i % 2 == 0) expected.push_back(i + 1);
      std::ranges::stable_sort(expected, [&](auto a, auto b) {
        auto one = keys[static_cast<std::size_t>(a - 1)], other = keys[static_cast<std::size_t>(b - 1)];
        return descending ? one > other : one < other;
      });
      for (std::int64_t skip : {0, 777, 50'000, 99'990}) {
        auto offset = skip + (even ? 0 : 1);  // the metadata has no field `even`
        auto end = std::min<std::ptrdiff_t>(skip + 30, std::ssize(expected));
        std::vector<std::int64_t> page(expected.begin() + skip, expected.begin() + end);
        ASSERT_EQ(ids(path, descending ? "-n" : "n", offset, 30, even ? R"({"even": true})" : "", &cache), page) << skip << descending << even;
      }
    }
}

TEST_F(Sorted, Counts) {
  std::string csv = "n\n";
  for (int i = 0; i < 150'000; ++i) csv += std::to_string(i) + "\n";
  auto path = table(csv, {.infer = true});
  EXPECT_EQ(count_rows(path, {}).value(), 150'000);
  EXPECT_EQ(count_rows(path, parse_query(R"({"n": {"$gte": 70000, "$lt": 140001}})").value()).value(), 70'001);
  EXPECT_EQ(count_rows(path, parse_query(R"({"_id": {"$lte": 3}})").value()).value(), 3);
  EXPECT_EQ(count_rows(path, parse_query(R"({"n": "7"})").value()).value(), 0);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(count_rows(path, parse_query(R"({"n": 7})").value(), stop.get_token()).error().code, Code::cancelled);
}

}  // namespace
}  // namespace lo::dataset
