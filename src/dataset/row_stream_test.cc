#include "dataset/row_stream.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/util/thread_pool.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/table_writer.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;

class RowStreamTest : public FolderTest {
 protected:
  static std::string all(const std::filesystem::path& table, RowFormat format, std::string_view query = "", const ShownFields& fields = {}) {
    auto stream = stream_rows(table, parse_query(query).value(), fields, format);
    if (!stream) return stream.error().message;
    return rest_of(**stream);
  }

  static std::string rest_of(RowStream& stream) {
    std::string out;
    for (;;) {
      auto piece = stream.next();
      if (!piece) return piece.error().message;
      if (!*piece) break;
      out += **piece;
    }
    EXPECT_EQ(stream.next().value(), std::nullopt);
    return out;
  }

  // Descriptors of this process that have the file open.
  static int readers_of(const std::filesystem::path& file) {
    int readers = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      if (std::filesystem::read_symlink(entry.path(), gone) == file) ++readers;
    }
    return readers;
  }

  std::filesystem::path numbers(int rows) {
    std::string csv = "n,text\n";
    for (int i = 0; i < rows; ++i) csv += fmt::format("{},t{}\n", i, i);
    return table(csv, {.infer = true});
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
  auto path = numbers(100'000);
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
  auto path = numbers(200'000);
  auto whole = all(path, RowFormat::csv);
  auto stream = stream_rows(path, {}, {}, RowFormat::csv).value();
  std::filesystem::remove(path);
  EXPECT_EQ(rest_of(*stream), whole);
}

// A query that nothing matches is looked at group by group, so that whoever has left is missed.
TEST_F(RowStreamTest, GivesNothingInBetween) {
  auto stream = stream_rows(numbers(200'000), parse_query(R"({"text": "none"})").value(), {}, RowFormat::ndjson).value();
  int empty = 0;
  for (auto piece = stream->next(); piece.value(); piece = stream->next()) {
    EXPECT_EQ(**piece, "");
    ++empty;
  }
  EXPECT_GT(empty, 3);
}

// Whoever leaves leaves nothing behind: what is read ahead ends, and lets go of the file.
TEST_F(RowStreamTest, EndsWhenItIsLeft) {
  auto path = numbers(400'000);
  for (auto format : {RowFormat::ndjson, RowFormat::arrow}) {
    auto stream = stream_rows(path, {}, {}, format).value();
    ASSERT_TRUE(stream->next() && stream->next());
    EXPECT_GT(readers_of(path), 1);
    stream.reset();
    arrow::internal::GetCpuThreadPool()->WaitForIdle();
    EXPECT_EQ(readers_of(path), 0);
  }
}

TEST(RowFormats, ByMediaType) {
  for (auto format : {RowFormat::ndjson, RowFormat::csv, RowFormat::arrow}) EXPECT_EQ(row_format(media_type(format)), format);
  EXPECT_EQ(row_format("text/plain"), std::nullopt);
}

}  // namespace
}  // namespace lo::dataset
