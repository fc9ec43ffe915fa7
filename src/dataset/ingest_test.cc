#include "dataset/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/table_file.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Ingest : public FolderTest {
 protected:
  std::string rows(std::string csv, const CsvOptions& options = {}) { return rows_of(table(std::move(csv), options)); }

  Error error(std::string csv, const CsvOptions& options = {}) {
    auto before = files();
    auto manifest = ingest(std::move(csv), options, fresh());
    EXPECT_FALSE(manifest);
    EXPECT_EQ(files(), before);  // nothing is left behind
    return manifest ? Error{} : manifest.error();
  }
};

TEST_F(Ingest, EveryCellStaysTheTextItWas) {
  EXPECT_EQ(rows("a,b\n1,007\n, x \n1e5,true\n"),
            R"([{"_id":1,"a":"1","b":"007"},{"_id":2,"a":"","b":" x "},{"_id":3,"a":"1e5","b":"true"}])");
}

// The cases that CSV parsers are known to differ in.
TEST_F(Ingest, OddFiles) {
  EXPECT_EQ(rows("a,b\n\"1,2\",\"x\"\"y\"\n"), R"([{"_id":1,"a":"1,2","b":"x\"y"}])");
  EXPECT_EQ(rows("a,b\n\"1\n2\",\"\r\n\"\n"), R"([{"_id":1,"a":"1\n2","b":"\r\n"}])");
  EXPECT_EQ(rows("a,b\r\n1,2\r\n"), R"([{"_id":1,"a":"1","b":"2"}])");
  EXPECT_EQ(rows("a,b\r1,2\r3,4"), R"([{"_id":1,"a":"1","b":"2"},{"_id":2,"a":"3","b":"4"}])");
  EXPECT_EQ(rows("a,b\n1,2"), R"([{"_id":1,"a":"1","b":"2"}])");  // no line end at the end
  EXPECT_EQ(rows("\n\na,b\n\n1,2\n\n\n3,4\n"), R"([{"_id":1,"a":"1","b":"2"},{"_id":2,"a":"3","b":"4"}])");  // empty lines
  EXPECT_EQ(rows("a,b\n\"\",\n,\"\"\n"), R"([{"_id":1,"a":"","b":""},{"_id":2,"a":"","b":""}])");
  EXPECT_EQ(rows("\xef\xbb\xbf"
                 "a,b\n1,2\n"),
            R"([{"_id":1,"a":"1","b":"2"}])");                                          // byte order mark
  EXPECT_EQ(rows("a,b\nit's,5\" nail\n"), R"([{"_id":1,"a":"it's","b":"5\" nail"}])");  // a quote inside
  EXPECT_EQ(rows("a\n\"{\"\"x\"\": 1}\"\n"), R"([{"_id":1,"a":"{\"x\": 1}"}])");
  EXPECT_EQ(rows("a,b\nʤ,日本\n"), R"([{"_id":1,"a":"ʤ","b":"日本"}])");
  EXPECT_EQ(rows("a,b\n \"x\" ,y\n"), R"([{"_id":1,"a":" \"x\" ","b":"y"}])");  // a quote after a space is a character
  EXPECT_EQ(rows("\"a\",\"b\"\n\"1\",\"2\"\n"), R"([{"_id":1,"a":"1","b":"2"}])");
}

TEST_F(Ingest, HeaderNamesLoseWhatIsNoWord) {
  auto read = TableReader::open(table("Pass enger-Id,Año,,%,a_1\n1,2,3,4,5\n")).value();
  std::vector<std::string> names;
  auto fields = read.fields();
  for (const auto& field : fields) names.push_back(field.name);
  EXPECT_THAT(names, ::testing::ElementsAre("PassengerId", "Año", "column3", "column4", "a_1"));
}

TEST_F(Ingest, HeaderErrorsNameBoth) {
  EXPECT_THAT(error("a b,x,ab\n1,2,3\n").message, AllOf(HasSubstr("'a b' (column 1)"), HasSubstr("'ab' (column 3)")));
  EXPECT_THAT(error("a,a\n1,2\n").message, HasSubstr("columns 1 and 2 are both named 'a'"));
  EXPECT_THAT(error("_id,a\n1,2\n").message, HasSubstr("_id"));
  EXPECT_THAT(error("a,b\xff\n1,2\n", {.encoding = "utf-8"}).message, AllOf(HasSubstr("column 2"), HasSubstr("\\xff")));
}

TEST_F(Ingest, GivenHeadersMakeTheFirstLineARow) {
  CsvOptions options{.headers = {"x", "y"}};
  EXPECT_EQ(rows("1,2\n3,4\n", options), R"([{"_id":1,"x":"1","y":"2"},{"_id":2,"x":"3","y":"4"}])");
  EXPECT_THAT(error("1,2,3\n", options).message, AllOf(HasSubstr("row 1"), HasSubstr("3 columns where 2 are expected")));
}

TEST_F(Ingest, OnlyAHeaderGivesNoRows) {
  auto manifest = ingest("a,b\n", {}, fresh()).value();
  EXPECT_EQ(manifest.rows, 0);
  EXPECT_EQ(manifest.fields.size(), 2u);
  EXPECT_EQ(manifest.kind, store::Kind::table);
  EXPECT_EQ(manifest.parts[0].name, "table1.parquet");
  EXPECT_EQ(rows("a,b"), "[]");
}

TEST_F(Ingest, EmptyFiles) {
  for (std::string text : {"", "\n\n", "\r\n", "\xef\xbb\xbf"}) {
    auto failed = error(text);
    EXPECT_EQ(failed.code, Code::unacceptable);
    EXPECT_THAT(failed.message, HasSubstr("empty"));
  }
}

TEST_F(Ingest, RaggedRowsAreNamed) {
  EXPECT_THAT(error("a,b\n1,2\n3,4,5\n").message,
              AllOf(HasSubstr("row 2"), HasSubstr("3 columns where 2"), HasSubstr("'3,4,5'")));
  EXPECT_THAT(error("a,b\n1,2\n\"x\ny\",2\n3\n").message, AllOf(HasSubstr("row 3"), HasSubstr("1 columns where 2")));
  std::string many = "a,b\n";
  for (int i = 0; i < 500'000; ++i) many += "12345678,x\n";  // several blocks
  EXPECT_THAT(error(many + "1\n").message, HasSubstr("row 500001"));
}

TEST_F(Ingest, AQuoteThatIsNeverClosed) {
  EXPECT_THAT(error("a,b\n1,2\n3,\"4\n5,6\n").message, AllOf(HasSubstr("row 2"), HasSubstr("never closed")));
  EXPECT_THAT(error("a,\"b\n1,2\n").message, HasSubstr("never closed"));
  std::string many = "a\n";
  for (int i = 0; i < 300'000; ++i) many += "1234567\n";
  EXPECT_THAT(error(many + "\"open\n" + many).message, AllOf(HasSubstr("row 300001"), HasSubstr("never closed")));
}

TEST_F(Ingest, LongFields) {
  std::string cell(10 << 20, 'x');
  auto parquet = table("a,b\n1," + cell + "\n2,y\n");
  auto page = read_page(parquet, 0, 2).value();
  EXPECT_EQ(page[0].at("b").as_string().size(), cell.size());
  EXPECT_EQ(page[1].at("b"), "y");
  EXPECT_THAT(error("a,b\n1," + cell + "\n", {.max_row_bytes = 4 << 20}).message,
              AllOf(HasSubstr("row 1"), HasSubstr("at least 4194304 bytes")));
}

TEST_F(Ingest, TooManyColumns) {
  std::string header = "c0";
  for (int i = 1; i < 1'000'000; ++i) header += ",c" + std::to_string(i);
  EXPECT_THAT(error(header + "\n").message, HasSubstr("1000000 columns, at most 10000"));
}

TEST_F(Ingest, WrongEncodingIsNamed) {
  EXPECT_THAT(error("a,Name\n1,x\n2,Jos\xe9\n", {.encoding = "utf-8"}).message,
              AllOf(HasSubstr("row 2"), HasSubstr("'Name'"), HasSubstr("Jos\\xe9"), HasSubstr("not UTF-8")));
}

TEST_F(Ingest, Encodings) {
  EXPECT_EQ(rows("a\nJos\xe9\n", {.encoding = "latin-1"}), R"([{"_id":1,"a":"José"}])");
  EXPECT_EQ(rows("a\n\x80\n", {.encoding = "cp1252"}), R"([{"_id":1,"a":"€"}])");
  EXPECT_EQ(rows(std::string("\xff\xfe"
                             "a\0\n\0\xe9\0\n\0",
                             10)),
            R"([{"_id":1,"a":"é"}])");  // by its mark
  EXPECT_EQ(rows(std::string("\0a\0\n\0x\0\n", 8), {.encoding = "utf-16be"}), R"([{"_id":1,"a":"x"}])");
  EXPECT_THAT(error("a\n\x81\n", {.encoding = "cp1252"}).message,
              AllOf(HasSubstr("byte 3"), HasSubstr("0x81"), HasSubstr("cp1252")));
  EXPECT_THAT(error(std::string("a\0\n", 3), {.encoding = "utf-16le"}).message, HasSubstr("byte 3"));  // half a character
  EXPECT_THAT(error("a\n", {.encoding = "utf-9"}).message, AllOf(HasSubstr("utf-9"), HasSubstr("utf-8")));
}

TEST_F(Ingest, Delimiters) {
  EXPECT_EQ(rows("a;b\n1,5;2\n", {.delimiter = ';'}), R"([{"_id":1,"a":"1,5","b":"2"}])");
  EXPECT_EQ(rows("a\tb\n1\t2\n", {.delimiter = '\t'}), R"([{"_id":1,"a":"1","b":"2"}])");
}

TEST_F(Ingest, AWebPageIsNoData) {
  EXPECT_THAT(error("  \n<!DOCTYPE html><html><body>no</body></html>").message, HasSubstr("HTML"));
  EXPECT_THAT(error("<HTML>\n<body>").message, HasSubstr("HTML"));
}

TEST_F(Ingest, GivenTypes) {
  CsvOptions options{.types = {{"n", Type::number}, {"i", Type::integer}, {"b", Type::boolean}, {"t", Type::timestamp}}};
  EXPECT_EQ(rows("s,n,i,b,t\n1,1.0,2,true,2026-01-31\n,, 3 ,0,2026-01-31T10:20:30.5+02:00\n", options),
            R"([{"_id":1,"s":"1","n":1,"i":2,"b":true,"t":"2026-01-31T00:00:00Z"},)"
            R"({"_id":2,"s":"","n":null,"i":3,"b":false,"t":"2026-01-31T08:20:30.5Z"}])");
  EXPECT_THAT(error("s,n,i,b,t\n,,,,\n,abc,,,\n", options).message,
              AllOf(HasSubstr("row 2"), HasSubstr("'n'"), HasSubstr("'abc' is not a number")));
  EXPECT_THAT(error("s,n,i,b\n", options).message, AllOf(HasSubstr("'t'")));
}

TEST_F(Ingest, InferLooksAtEveryValue) {
  CsvOptions options{.infer = true};
  EXPECT_EQ(rows("i,n,b,t,s,z,e\n1,1,true,2026-01-31,x,02139,\n-2,.5,False,2026-02-01 10:00,1,12345,\n", options),
            R"([{"_id":1,"i":1,"n":1,"b":true,"t":"2026-01-31T00:00:00Z","s":"x","z":"02139","e":""},)"
            R"({"_id":2,"i":-2,"n":5E-1,"b":false,"t":"2026-02-01T10:00:00Z","s":"1","z":"12345","e":""}])");
  std::string late = "a,b\n";
  for (int i = 0; i < 300'000; ++i) late += "12345,12345\n";
  auto read = TableReader::open(table(late + "x,1.5\n", options)).value();  // several blocks of integers first
  EXPECT_EQ(read.fields(), (std::vector<store::Field>{{"a", "string"}, {"b", "number"}}));
  EXPECT_EQ(read.rows(), 300'001);
  EXPECT_EQ(files(), 2u);  // the intermediate files are gone
}

// What the first block says of a field need not hold to the end.
TEST_F(Ingest, InferGoesByLateValuesToo) {
  std::string begin = "empty,zip,whole,flag\n";
  for (int i = 0; i < 100'000; ++i) begin += ",12345,1,true\n";  // more than a block
  auto types_with = [&](const std::string& last) {
    std::map<std::string, std::string> types;
    for (const auto& field : TableReader::open(table(begin + last, {.infer = true})).value().fields()) types[field.name] = field.type;
    return types;
  };
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(types_with("7,1,1,true\n"), (Map{{"empty", "integer"}, {"zip", "integer"}, {"whole", "integer"}, {"flag", "boolean"}}));
  EXPECT_EQ(types_with(",02139,1,yes\n"), (Map{{"empty", "string"}, {"zip", "string"}, {"whole", "integer"}, {"flag", "string"}}));
  EXPECT_EQ(types_with(", 0213,1.5,\n"), (Map{{"empty", "string"}, {"zip", "string"}, {"whole", "number"}, {"flag", "boolean"}}));
  EXPECT_EQ(files(), 3u);  // nothing but the tables
}

TEST_F(Ingest, InferReadsOnceMoreOnlyWhereItMust) {
  std::string text = "a\n";
  for (int i = 0; i < 300'000; ++i) text += "12345\n";
  auto readings_of = [&](const std::string& csv) {
    int readings = 0;
    auto again = [&] {
      ++readings;
      return open_text(csv);
    };
    EXPECT_TRUE(ingest_csv(open_csv(open_text(csv), {.infer = true}).value(), fresh(), {}, {}, again));
    return readings;
  };
  EXPECT_EQ(readings_of(text), 0);
  EXPECT_EQ(readings_of(text + "x\n"), 2);
}

// Whatever goes wrong in a late block is told as it would be in the first.
TEST_F(Ingest, InferTellsOfLateFaults) {
  std::string text = "a,b\n";
  for (int i = 0; i < 300'000; ++i) text += "12345,1\n";
  CsvOptions options{.infer = true, .encoding = "utf-8"};
  EXPECT_THAT(error(text + "1\n", options).message, HasSubstr("row 300001, 1 columns where 2 are expected"));
  EXPECT_THAT(error(text + "x,1\n2\n", options).message, HasSubstr("row 300002, 1 columns where 2 are expected"));  // after a value that was not expected
  EXPECT_THAT(error(text + "x,Jos\xe9\n", options).message, AllOf(HasSubstr("row 300001, field 'b'"), HasSubstr("not UTF-8")));
}

TEST_F(Ingest, InferYieldsToGivenTypes) {
  EXPECT_EQ(rows("a,b\n1,2\n", {.infer = true, .types = {{"a", Type::string}}}), R"([{"_id":1,"a":"1","b":2}])");
}

TEST_F(Ingest, ProgressCountsBytesAndRows) {
  std::string csv = "a\n";
  for (int i = 0; i < 300'000; ++i) csv += "1234567\n";
  std::vector<IngestProgress> told;
  ASSERT_TRUE(ingest_csv(open_csv(open_text(csv), {}).value(), fresh(), [&](const IngestProgress& progress) { told.push_back(progress); }));
  ASSERT_GE(told.size(), 2u);
  EXPECT_EQ(told.back().rows, 300'000);
  EXPECT_EQ(told.back().bytes, static_cast<std::int64_t>(csv.size()));
  EXPECT_EQ(told.back().total, static_cast<std::int64_t>(csv.size()));
  EXPECT_LT(told.front().rows, 300'000);
}

// A source without end that asks to stop after a while.
class Endless final : public ByteSource {
 public:
  explicit Endless(std::stop_source& stop) : stop_(stop) {}
  Result<std::size_t> read(std::span<char> some) override {
    std::ranges::fill(some, 'x');
    some.front() = '\n';
    taken_ += static_cast<std::int64_t>(some.size());
    if (taken_ > 20 << 20) stop_.request_stop();
    return some.size();
  }
  std::int64_t bytes_taken() const override { return taken_; }
  std::optional<std::int64_t> bytes_total() const override { return std::nullopt; }

 private:
  std::stop_source& stop_;
  std::int64_t taken_ = 0;
};

TEST_F(Ingest, CancelLeavesNothing) {
  std::stop_source stop;
  auto manifest = ingest_csv(open_csv(std::make_unique<Endless>(stop), {}).value(), fresh(), {}, stop.get_token());
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, Code::cancelled);
  EXPECT_EQ(files(), 0u);
}

TEST_F(Ingest, AFileThatExistsIsNotTouched) {
  auto taken = write("taken.parquet", "mine");
  EXPECT_FALSE(ingest("a\n1\n", {}, taken));
  EXPECT_EQ(std::filesystem::file_size(taken), 4u);
}

TEST_F(Ingest, Titanic) {
  auto file = open_file("examples/titanic/titanic_train.csv");
  if (!file) GTEST_SKIP() << file.error().message;
  auto manifest = ingest_csv(open_csv(*std::move(file), {}).value(), fresh()).value();
  EXPECT_EQ(manifest.rows, 891);
  auto first = read_page(path("table1.parquet"), 0, 1).value()[0].as_object();
  EXPECT_EQ(first["Name"], "Braund, Mr. Owen Harris");
  EXPECT_EQ(first["Cabin"], "");
}

}  // namespace
}  // namespace lo::dataset
