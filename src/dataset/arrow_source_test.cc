// Tables of plain numbers as the Python runtime leaves them: Arrow files.
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/cast.h"
#include "dataset/histogram.h"
#include "dataset/project.h"
#include "dataset/query.h"
#include "dataset/table_file.h"
#include "dataset/table_writer.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kRows = 150'000;  // several groups

class ArrowSourceTest : public FolderTest {
 protected:
  static std::shared_ptr<arrow::RecordBatch> numbers(std::int64_t rows) {
    arrow::DoubleBuilder wide;
    arrow::FloatBuilder narrow;
    for (std::int64_t i = 0; i < rows; ++i) {
      EXPECT_TRUE(wide.Append(static_cast<double>(i) + 0.5).ok());
      EXPECT_TRUE(narrow.Append(static_cast<float>(i % 4)).ok());
    }
    auto schema = arrow::schema({arrow::field("wide", arrow::float64()), arrow::field("narrow", arrow::float32())});
    return arrow::RecordBatch::Make(schema, rows, {wide.Finish().ValueOrDie(), narrow.Finish().ValueOrDie()});
  }

  std::filesystem::path write_arrow(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
    auto to = path("rows" + std::to_string(++tables_) + ".arrow");
    auto file = arrow::io::FileOutputStream::Open(to.string()).ValueOrDie();
    auto writer = arrow::ipc::MakeFileWriter(file, batches.at(0)->schema()).ValueOrDie();
    for (const auto& batch : batches) EXPECT_TRUE(writer->WriteRecordBatch(*batch).ok());
    EXPECT_TRUE(writer->Close().ok());
    EXPECT_TRUE(file->Close().ok());
    return to;
  }

  std::filesystem::path write_parquet(const std::shared_ptr<arrow::RecordBatch>& batch) {
    auto to = fresh();
    auto writer = TableWriter::open(to, batch->schema()).value();
    EXPECT_TRUE(writer.write(*batch));
    EXPECT_TRUE(writer.finish());
    return to;
  }
};

TEST_F(ArrowSourceTest, ReadsLikeTheSameTableInParquet) {
  auto arrow = write_arrow({numbers(kRows)});
  auto parquet = write_parquet(numbers(kRows));
  auto read = TableReader::open(arrow).value();
  EXPECT_EQ(read.rows(), kRows);
  EXPECT_EQ(read.fields(), TableReader::open(parquet).value().fields());
  for (std::int64_t skip : {std::int64_t{0}, std::int64_t{65'530}, std::int64_t{131'065}, kRows - 3})
    EXPECT_EQ(read_page(arrow, skip, 12).value(), read_page(parquet, skip, 12).value()) << skip;
  auto query = parse_query(R"({"wide": {"$gt": 131070, "$lt": 131078}, "narrow": 1})").value();
  EXPECT_EQ(find(arrow, query, {}, 0, 10).value(), find(parquet, query, {}, 0, 10).value());
  EXPECT_EQ(find(arrow, query, {}, 0, 10).value().size(), 2U);
  const std::vector<std::string> narrow{"narrow"};
  EXPECT_EQ(histogram(arrow, narrow, {}, {}).value(), histogram(parquet, narrow, {}, {}).value());
  auto projected = fresh();
  ASSERT_TRUE(project(arrow, narrow, projected));
  EXPECT_EQ(read_page(projected, 99'999, 1).value(), (json::array{{{"_id", 100'000}, {"narrow", 3}}}));
  auto texts = fresh();
  ASSERT_TRUE(cast(arrow, {{"wide", Type::string}}, texts));
  EXPECT_EQ(read_page(texts, 70'000, 1).value()[0].at("wide"), "70000.5");
}

TEST_F(ArrowSourceTest, HasNoRowsToo) {
  auto empty = write_arrow({numbers(0)});
  EXPECT_EQ(TableReader::open(empty).value().rows(), 0);
  EXPECT_TRUE(read_page(empty, 0, 10).value().empty());
}

TEST_F(ArrowSourceTest, AnythingElseIsCorrupt) {
  arrow::StringBuilder texts;
  ASSERT_TRUE(texts.Append("x").ok());
  arrow::DoubleBuilder missing;
  ASSERT_TRUE(missing.AppendNull().ok());
  auto one = [](std::shared_ptr<arrow::Array> array) {
    return arrow::RecordBatch::Make(arrow::schema({arrow::field("a", array->type())}), 1, {array});
  };
  auto whole = write_arrow({numbers(1000)});
  auto cut = path("cut.arrow");
  std::filesystem::copy_file(whole, cut);
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) - 100);
  for (const auto& bad : {write_arrow({one(texts.Finish().ValueOrDie())}), write_arrow({one(missing.Finish().ValueOrDie())}),
                          write_arrow({numbers(2), numbers(2)}), cut, write("short.arrow", "ARROW1")}) {
    auto table = TableReader::open(bad);
    ASSERT_FALSE(table) << bad;
    EXPECT_EQ(table.error().code, Code::corrupt) << table.error().message;
  }
}

}  // namespace
}  // namespace lo::dataset
