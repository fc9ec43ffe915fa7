#include "dataset/row_stream.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/table_writer.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class RowStreamTest : public FolderTest {
 protected:
  static std::string all(const std::filesystem::path& table, RowFormat format, std::string_view query = "", const ShownFields& fields = {}) {
    auto stream = stream_rows(table, parse_query(query).value(), fields, format);
    if (!stream) return stream.error().message;
    std::string out;
    for (;;) {
      auto piece = (*stream)->next();
      if (!piece) return piece.error().message;
      if (piece->empty()) break;
      out += *piece;
    }
    EXPECT_EQ((*stream)->next().value(), "");
    return out;
  }

  std::filesystem::path people() {
    return table("name,age,born,ok\n\"O\"\"Hara, A\",22.5,2001-02-03,true\nBo,,,\n", {.types = {{"age", Type::number}, {"born", Type::timestamp}, {"ok", Type::boolean}}});
  }
};

TEST_F(RowStreamTest, Ndjson) {
  EXPECT_EQ(all(people(), RowFormat::ndjson),
            R"({"_id":1,"name":"O\"Hara, A","age":22.5,"born":"2001-02-03T00:00:00Z","ok":true})"
            "\n"
            R"({"_id":2,"name":"Bo","age":null,"born":null,"ok":null})"
            "\n");
}

TEST_F(RowStreamTest, Csv) {
  EXPECT_EQ(all(people(), RowFormat::csv, "", {"name", "ok", "age"}), "\"name\",\"ok\",\"age\"\n\"O\"\"Hara, A\",true,22.5\n\"Bo\",,\n");
}

TEST_F(RowStreamTest, OnlyWhatMatches) {
  EXPECT_EQ(all(people(), RowFormat::csv, R"({"age": null})", {"name"}), "\"name\"\n\"Bo\"\n");
  EXPECT_EQ(all(people(), RowFormat::ndjson, R"({"_id": {"$lte": 1}})", {"name"}), "{\"_id\":1,\"name\":\"O\\\"Hara, A\"}\n");
  EXPECT_EQ(all(people(), RowFormat::csv, R"({"age": 99})", {"name", "ok"}), "\"name\",\"ok\"\n");
  EXPECT_EQ(all(people(), RowFormat::ndjson, R"({"age": 99})"), "");
}

TEST_F(RowStreamTest, AnUnknownFieldIsNamed) {
  EXPECT_THAT(all(people(), RowFormat::csv, "", {"nme"}), HasSubstr("'name'"));
}

// Written and read again it is the same table, group after group.
TEST_F(RowStreamTest, ManyRowsCsvIsReadAgain) {
  std::string csv = "n,text,part\n";
  for (int i = 0; i < 150'000; ++i) csv += fmt::format("{},\"a,{}\n\",{}.25\n", i, i % 1000, i);
  auto original = table(csv, {.infer = true});
  auto again = table(all(original, RowFormat::csv), {.infer = true});
  EXPECT_EQ(rows_of(again), rows_of(original));
  auto matching = all(original, RowFormat::csv, R"({"n": {"$gte": 70000, "$lt": 140000}, "text": {"$regex": "^a,7"}})", {"n"});
  EXPECT_EQ(std::ranges::count(matching, '\n'), 1 + 70 * 111);
}

TEST_F(RowStreamTest, ArrowIsReadAsATable) {
  std::string csv = "n,text\n";
  for (int i = 0; i < 100'000; ++i) csv += fmt::format("{},t{}\n", i, i);
  auto path = table(csv, {.infer = true});
  for (std::string query : {"{}", R"({"n": -1})"}) {
    auto bytes = all(path, RowFormat::arrow, query);
    auto reader = arrow::ipc::RecordBatchStreamReader::Open(std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(bytes))).ValueOrDie();
    auto read = reader->ToTable().ValueOrDie();
    EXPECT_EQ(read->num_rows(), query == "{}" ? 100'000 : 0);
    EXPECT_EQ(read->schema()->field(0)->type()->id(), arrow::Type::INT64);
    if (read->num_rows() > 0) {
      EXPECT_EQ(read->column(1)->GetScalar(99'999).ValueOrDie()->ToString(), "t99999");
    }
  }
}

TEST_F(RowStreamTest, ListsAreJsonInCsv) {
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::Int64Builder>());
  auto& values = static_cast<arrow::Int64Builder&>(*lists.value_builder());
  ASSERT_TRUE(lists.Append().ok() && values.Append(1).ok() && values.Append(2).ok() && lists.AppendNull().ok());
  auto column = lists.Finish().ValueOrDie();
  auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("list", column->type())}), 2, {column});
  auto writer = TableWriter::open(path("lists.parquet"), batch->schema()).value();
  ASSERT_TRUE(writer.write(*batch) && writer.finish());
  EXPECT_EQ(all(path("lists.parquet"), RowFormat::csv), "\"list\"\n\"[1,2]\"\n\n");
}

// The file may go while it is sent.
TEST_F(RowStreamTest, GoesOnWhenTheFileIsRemoved) {
  auto path = people();
  auto stream = stream_rows(path, {}, {}, RowFormat::csv).value();
  std::filesystem::remove(path);
  EXPECT_THAT(stream->next().value(), StartsWith("\"name\""));
}

TEST(RowFormats, ByMediaType) {
  for (auto format : {RowFormat::ndjson, RowFormat::csv, RowFormat::arrow}) EXPECT_EQ(row_format(media_type(format)), format);
  EXPECT_EQ(row_format("text/plain"), std::nullopt);
}

}  // namespace
}  // namespace lo::dataset
