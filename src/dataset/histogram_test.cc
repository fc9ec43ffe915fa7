#include "dataset/histogram.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "dataset/table_file.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;

class Histogram : public FolderTest {
 protected:
  std::string of(const std::filesystem::path& table, std::vector<std::string> names, std::optional<int> bins = {}) {
    auto documents = histogram(table, names, bins);
    if (!documents) return documents.error().fields.empty() ? documents.error().message : documents.error().fields[0].pointer + " " + documents.error().fields[0].detail;
    return write_json(*documents);
  }
  CsvOptions inferred() {
    return parse_csv_options(json::object{{"types", "infer"}}).value();
  }
};

TEST_F(Histogram, CountsByCountThenValue) {
  EXPECT_EQ(of(table("s\nb\na\nb\na\nc\n"), {"s"}),
            R"([{"s":[{"_id":"a","count":2},{"_id":"b","count":2},{"_id":"c","count":1}]}])");
}

TEST_F(Histogram, ValuesKeepTheirTypeAndNullIsOne) {
  EXPECT_EQ(of(table("n,s\n2,x\n10,x\n2,y\n,x\n", inferred()), {"n"}),
            R"([{"n":[{"_id":2,"count":2},{"_id":null,"count":1},{"_id":10,"count":1}]}])");
}

TEST_F(Histogram, DocumentsInTheOrderOfNames) {
  EXPECT_EQ(of(table("a,b\n1,2\n"), {"b", "a"}), R"([{"b":[{"_id":"2","count":1}]},{"a":[{"_id":"1","count":1}]}])");
}

TEST_F(Histogram, AnUnknownFieldIsNamed) {
  EXPECT_THAT(of(table("age\n1\n"), {"ages"}), AllOf(HasSubstr("/names/0 "), HasSubstr("'age'")));
}

TEST_F(Histogram, TooManyValuesAreRefusedNamingTheField) {
  std::string csv = "id,x\n";
  for (std::size_t i = 0; i <= kMostDistinct; ++i) csv += std::to_string(i) + ",1\n";
  auto path = table(csv, inferred());
  EXPECT_THAT(of(path, {"x", "id"}), AllOf(HasSubstr("/names/1 "), HasSubstr("'id'"), HasSubstr("bins")));
  EXPECT_EQ(of(path, {"id"}, 2), R"([{"id":[{"_id":0,"to":5000,"count":5000},{"_id":5000,"to":10000,"count":5001}]}])");
}

TEST_F(Histogram, BinsCountNumbersAndNulls) {
  EXPECT_EQ(of(table("n,x\n0,a\n1,a\n2.5,a\n,a\n4,a\n", inferred()), {"n"}, 2),
            R"([{"n":[{"_id":null,"count":1},{"_id":0,"to":2,"count":2},{"_id":2,"to":4,"count":2}]}])");
}

TEST_F(Histogram, BinsOfOneValueAndOfNone) {
  EXPECT_EQ(of(table("n\n7\n7\n", inferred()), {"n"}, 5), R"([{"n":[{"_id":7,"to":7,"count":2}]}])");
  EXPECT_EQ(of(table("s\nx\n"), {"s"}, 5), R"([{"s":[{"_id":"x","count":1}]}])");
}

// Several groups, counted side by side; with and without a dictionary in the file.
TEST_F(Histogram, OfManyRowsOfEveryType) {
  constexpr int kRows = 150'000;
  std::string csv = "text,whole,part,flag,time,some\n";
  for (int i = 0; i < kRows; ++i)
    csv += fmt::format("t{},{},{}.5,{},2026-01-0{},{}\n", i % 3, i % 3, i % 3, i % 2 == 0, i % 2 + 1, i < 100 ? "7" : "");
  auto path = table(csv, inferred());
  ASSERT_GT(TableReader::open(path).value().groups(), 1);
  EXPECT_EQ(of(path, {"text"}), R"([{"text":[{"_id":"t0","count":50000},{"_id":"t1","count":50000},{"_id":"t2","count":50000}]}])");
  EXPECT_EQ(of(path, {"whole"}), R"([{"whole":[{"_id":0,"count":50000},{"_id":1,"count":50000},{"_id":2,"count":50000}]}])");
  EXPECT_EQ(of(path, {"part"}), R"([{"part":[{"_id":0.5,"count":50000},{"_id":1.5,"count":50000},{"_id":2.5,"count":50000}]}])");
  EXPECT_EQ(of(path, {"flag"}), R"([{"flag":[{"_id":false,"count":75000},{"_id":true,"count":75000}]}])");
  EXPECT_EQ(of(path, {"time"}), R"([{"time":[{"_id":"2026-01-01T00:00:00Z","count":75000},{"_id":"2026-01-02T00:00:00Z","count":75000}]}])");
  EXPECT_EQ(of(path, {"some"}), R"([{"some":[{"_id":null,"count":149900},{"_id":7,"count":100}]}])");
}

TEST_F(Histogram, OfAFileThatWasCutShortIsAnError) {
  std::string csv = "a\n";
  for (int i = 0; i < 100'000; ++i) csv += std::to_string(i % 7) + "\n";
  auto path = table(csv);
  auto content = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, content - 10);
  std::vector<std::string> names{"a"};
  EXPECT_EQ(histogram(path, names, {}).error().code, Code::corrupt);
}

TEST_F(Histogram, CanBeStopped) {
  std::stop_source stop;
  stop.request_stop();
  std::vector<std::string> names{"a"};
  EXPECT_EQ(histogram(table("a\n1\n"), names, {}, stop.get_token()).error().code, Code::cancelled);
}

}  // namespace
}  // namespace lo::dataset
