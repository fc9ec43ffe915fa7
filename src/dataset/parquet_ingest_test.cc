#include "dataset/parquet_ingest.h"

#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "dataset/page.h"
#include "dataset/table_file.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;

class ParquetIngest : public FolderTest {
 protected:
  // A file as another program may write it: all rows in one group.
  std::filesystem::path parquet(const std::vector<std::shared_ptr<arrow::Field>>& fields, const std::vector<std::string>& columns) {
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (std::size_t i = 0; i < fields.size(); ++i) arrays.push_back(arrow::json::ArrayFromJSONString(fields[i]->type(), columns[i]).ValueOrDie());
    return write_table(*arrow::Table::Make(arrow::schema(fields), arrays));
  }

  std::filesystem::path write_table(const arrow::Table& table) {
    auto to = path("given" + std::to_string(++given_) + ".parquet");
    auto sink = arrow::io::FileOutputStream::Open(to.string()).ValueOrDie();
    auto rows = std::max<std::int64_t>(1, table.num_rows());
    EXPECT_TRUE(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), sink, rows).ok());
    return to;
  }

  std::string refusal(const std::filesystem::path& from) {
    auto before = files();
    auto manifest = ingest_parquet(from, fresh());
    EXPECT_EQ(files(), before);  // nothing is left behind
    if (manifest) return "accepted";
    EXPECT_EQ(manifest.error().code, Code::unacceptable) << manifest.error().message;
    return manifest.error().message;
  }

  int given_ = 0;
};

TEST_F(ParquetIngest, ValuesAndTypesStayWhatTheyAre) {
  auto from = parquet({arrow::field("n", arrow::int32()), arrow::field("when", arrow::timestamp(arrow::TimeUnit::SECOND, "UTC")),
                       arrow::field("text, or so", arrow::dictionary(arrow::int8(), arrow::utf8())),
                       arrow::field("list", arrow::list(arrow::float64())), arrow::field("pair", arrow::struct_({arrow::field("x", arrow::boolean())}))},
                      {"[1, null]", "[0, 1]", R"(["a", "b"])", "[[1.5, null], []]", R"([{"x": true}, null])"});
  auto to = fresh();
  auto manifest = ingest_parquet(from, to).value();
  EXPECT_EQ(manifest.rows, 2);
  EXPECT_EQ(manifest.fields.at(0), (store::Field{"n", "integer"}));
  EXPECT_EQ(rows_of(to), R"([{"_id":1,"n":1,"when":"1970-01-01T00:00:00Z","text, or so":"a","list":[1.5E0,null],"pair":{"x":true}},)"
                         R"({"_id":2,"n":null,"when":"1970-01-01T00:00:01Z","text, or so":"b","list":[],"pair":null}])");
}

TEST_F(ParquetIngest, OneLargeGroupBecomesSeveral) {
  arrow::Int64Builder numbers;
  for (std::int64_t i = 0; i < 200'000; ++i) EXPECT_TRUE(numbers.Append(i).ok());
  auto table = arrow::Table::Make(arrow::schema({arrow::field("n", arrow::int64())}), {numbers.Finish().ValueOrDie()});
  auto to = fresh();
  std::vector<IngestProgress> told;
  auto from = write_table(*table);
  EXPECT_EQ(ingest_parquet(from, to, [&](const IngestProgress& progress) { told.push_back(progress); }).value().rows, 200'000);
  EXPECT_GT(TableReader::open(to).value().groups(), 1);
  EXPECT_EQ(json::serialize(read_page(to, 199'999, 1).value()), R"([{"_id":200000,"n":199999}])");
  EXPECT_GT(told.size(), 2U);
  EXPECT_EQ(told.back().rows, 200'000);
  EXPECT_EQ(told.back().bytes, static_cast<std::int64_t>(std::filesystem::file_size(from)));
}

TEST_F(ParquetIngest, ATableWithoutRows) { EXPECT_EQ(ingest_parquet(parquet({arrow::field("a", arrow::utf8())}, {"[]"}), fresh()).value().rows, 0); }

TEST_F(ParquetIngest, OtherFilesAreRefused) {
  EXPECT_THAT(refusal(write("a", "")), HasSubstr("too short"));
  EXPECT_THAT(refusal(write("b", "a,b\n1,2\n3,4\n5,6\n")), HasSubstr("does not begin with PAR1"));
  EXPECT_THAT(refusal(write("c", "PAR1 and no more of it")), HasSubstr("cut off"));
  EXPECT_THAT(refusal(write("d", "PARE.............PARE")), HasSubstr("encrypted"));
  EXPECT_NE(refusal(write("e", "PAR1.............PAR1")), "accepted");
  EXPECT_EQ(ingest_parquet(path("missing"), fresh()).error().code, Code::io);
}

TEST_F(ParquetIngest, NamesMustBeUsable) {
  auto a = arrow::field("a", arrow::int32());
  EXPECT_THAT(refusal(parquet({a, a}, {"[1]", "[2]"})), HasSubstr("two fields of the Parquet file are called 'a'"));
  EXPECT_THAT(refusal(parquet({arrow::field("_id", arrow::int32())}, {"[1]"})), HasSubstr("'_id'"));
  EXPECT_THAT(refusal(parquet({arrow::field("", arrow::int32())}, {"[1]"})), HasSubstr("no name"));
}

TEST_F(ParquetIngest, DamageIsAnErrorOrHarmless) {
  auto whole = parquet({arrow::field("n", arrow::int32()), arrow::field("t", arrow::utf8())}, {"[1, 2, 3]", R"(["x", "yy", null])"});
  std::string bytes(std::filesystem::file_size(whole), '\0');
  std::ifstream(whole, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    auto to = fresh();
    auto manifest = ingest_parquet(write("damaged", damaged), to);
    EXPECT_EQ(std::filesystem::exists(to), manifest.has_value()) << at;
    if (!manifest) continue;
    EXPECT_TRUE(read_page(to, 0, 10)) << at;
    std::filesystem::remove(to);
  }
}

TEST_F(ParquetIngest, Stops) {
  std::stop_source stop;
  stop.request_stop();
  auto from = parquet({arrow::field("a", arrow::int32())}, {"[1]"});
  EXPECT_EQ(ingest_parquet(from, fresh(), {}, stop.get_token()).error().code, Code::cancelled);
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace lo::dataset
