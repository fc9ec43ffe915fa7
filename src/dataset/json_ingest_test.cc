#include "dataset/json_ingest.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "dataset/table_file.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class JsonIngest : public FolderTest {
 protected:
  Result<store::Manifest> ingest(const std::string& content, const JsonOptions& options, const std::filesystem::path& to, std::stop_token stop = {}) {
    opened_again_ = 0;
    LO_ASSIGN(auto text, open_json(open_text(content), options));
    return ingest_json(std::move(text), to, {}, std::move(stop), [&] {
      ++opened_again_;
      return open_text(content);
    });
  }

  std::filesystem::path table(const std::string& content, const JsonOptions& options = {}) {
    auto to = fresh();
    auto manifest = ingest(content, options, to);
    EXPECT_TRUE(manifest) << manifest.error().message;
    return to;
  }

  std::string rows(const std::string& content, const JsonOptions& options = {}) { return rows_of(table(content, options)); }

  std::string schema(const std::string& content, const JsonOptions& options = {}) {
    return TableReader::open(table(content, options)).value().schema()->ToString();
  }

  std::string error(const std::string& content, const JsonOptions& options = {}) {
    auto before = files();
    auto manifest = ingest(content, options, fresh());
    EXPECT_FALSE(manifest) << content;
    EXPECT_EQ(files(), before);  // nothing is left behind
    EXPECT_TRUE(manifest || manifest.error().code == Code::unacceptable) << to_string(manifest.error().code);
    return manifest ? "" : manifest.error().message;
  }

  // So many lines that they are several blocks.
  static std::string many(const std::string& line) {
    std::string lines;
    while (lines.size() < (std::size_t{5} << 18)) lines += line;
    return lines;
  }
  static std::int64_t count(const std::string& lines) { return std::ranges::count(lines, '\n'); }

  int opened_again_ = 0;
};

TEST_F(JsonIngest, ValuesKeepTheirTypes) {
  EXPECT_EQ(rows(R"({"i":1,"n":1.5,"b":true,"t":"x","l":[1,2],"s":{"a":"y","b":null},"z":null})"
                 "\n"),
            R"([{"_id":1,"i":1,"n":1.5E0,"b":true,"t":"x","l":[1,2],"s":{"a":"y","b":null},"z":null}])");
  EXPECT_EQ(schema(R"({"i":1,"n":1.5,"b":true,"t":"x","l":[1.5,null],"s":{"a":[{"b":1}]},"z":null,"e":[],"o":{}})"),
            "i: int64\nn: double\nb: bool\nt: string\nl: list<element: double>\ns: struct<a: list<element: struct<b: int64>>>\nz: string\n"
            "e: list<element: string>\no: string");
}

TEST_F(JsonIngest, WhatARowDoesNotHaveIsNull) {
  EXPECT_EQ(rows("{\"a\":1}\n{\"b\":\"x\"}\n{}\n"), R"([{"_id":1,"a":1,"b":null},{"_id":2,"a":null,"b":"x"},{"_id":3,"a":null,"b":null}])");
  EXPECT_EQ(rows("{\"s\":{\"a\":1}}\n{\"s\":{\"b\":2}}\n{\"s\":null}\n"),
            R"([{"_id":1,"s":{"a":1,"b":null}},{"_id":2,"s":{"a":null,"b":2}},{"_id":3,"s":null}])");
  EXPECT_EQ(rows("{\"b\":1,\"a\":2}\n{\"a\":3,\"b\":4}\n"), R"([{"_id":1,"b":1,"a":2},{"_id":2,"b":4,"a":3}])");  // the order of names is no matter
}

TEST_F(JsonIngest, OddFiles) {
  const std::string two = R"([{"_id":1,"a":1},{"_id":2,"a":2}])";
  EXPECT_EQ(rows("{\"a\":1}\r\n{\"a\":2}\r\n"), two);
  EXPECT_EQ(rows("\n \t\r\n{\"a\":1}\n\n\n  {\"a\": 2}  "), two);  // blank lines, no line end
  EXPECT_EQ(rows("\xef\xbb\xbf{\"a\":1}\n{\"a\":2}\n"), two);
  EXPECT_EQ(rows(std::string("{\0\"\0a\0\"\0:\0" "1\0}\0\n\0{\0\"\0a\0\"\0:\0" "2\0}\0", 30)), two);  // UTF-16
  EXPECT_EQ(rows(R"({"a":"\u00e9\ud83d\ude00\n\"\\\/","\u0062":"日本"})"), "[{\"_id\":1,\"a\":\"é😀\\n\\\"\\\\/\",\"b\":\"日本\"}]");
  EXPECT_EQ(rows(R"({"a":"2026-01-01T00:00:00Z","b":"1"})"), R"([{"_id":1,"a":"2026-01-01T00:00:00Z","b":"1"}])");  // texts stay texts
  EXPECT_EQ(rows("{\"a\":\"\\u00e9\xe9\"}", {.encoding = "latin-1"}), "[{\"_id\":1,\"a\":\"éé\"}]");
  EXPECT_EQ(rows(R"({"a":{}})" "\n" R"({"a":null})" "\n"), R"([{"_id":1,"a":"{}"},{"_id":2,"a":null}])");
  EXPECT_EQ(rows(R"({"a":[{},{}]})"), R"([{"_id":1,"a":["{}","{}"]}])");
  EXPECT_EQ(rows(R"({"a":[[],[1],null]})"), R"([{"_id":1,"a":[[],[1],null]}])");
}

TEST_F(JsonIngest, AnArrayOfObjectsIsReadAsItsLines) {
  const std::string two = R"([{"_id":1,"a":1,"t":"],["},{"_id":2,"a":2,"t":"\",\\"}])";
  EXPECT_EQ(rows(R"([{"a":1,"t":"],["},{"a":2,"t":"\",\\"}])"), two);
  EXPECT_EQ(rows("\n [\n  {\n  \"a\": 1,\r\n \"t\": \"],[\"}\n,\n{\"a\":2, \"t\":\n\"\\\",\\\\\"\n}\n]\n\n"), two);
  EXPECT_EQ(rows(R"([{"a":[[{"b":[]}],[]]}])"), R"([{"_id":1,"a":[[{"b":[]}],[]]}])");
  EXPECT_EQ(ingest("[" + many("{\"a\":1},\n") + "{\"a\":2}]", {}, fresh()).value().rows, count(many("{\"a\":1},\n")) + 1);
}

TEST_F(JsonIngest, ABrokenArrayIsRefused) {
  EXPECT_EQ(error("[]"), "the file is empty");
  EXPECT_THAT(error(R"([{"a":1},)"), HasSubstr("the JSON array is not closed: the file ends in row 2"));
  EXPECT_THAT(error(R"([{"a":1},])"), HasSubstr("row 2 of the JSON array is missing before ']'"));
  EXPECT_THAT(error(R"([,{"a":1}])"), HasSubstr("row 1 of the JSON array is missing before ','"));
  EXPECT_THAT(error(R"([{"a":1}] x)"), HasSubstr("the JSON array ends after row 1, and the file goes on: 'x'"));
  EXPECT_THAT(error(R"([{"a":1},2])"), HasSubstr("row 2, an object is expected, not '2'"));
  EXPECT_THAT(error("[{\"a\":\"x\ny\"}]"), HasSubstr("invalid JSON"));  // a line end within a text
  EXPECT_THAT(error(R"([{"a":1}}])"), HasSubstr("invalid JSON"));
}

TEST_F(JsonIngest, NumbersAreExactOrRefused) {
  EXPECT_EQ(rows("{\"a\":9223372036854775807}\n{\"a\":-9223372036854775808}\n"),
            R"([{"_id":1,"a":9223372036854775807},{"_id":2,"a":-9223372036854775808}])");
  EXPECT_EQ(schema("{\"a\":1}\n{\"a\":1.0}\n"), "a: double");
  EXPECT_EQ(schema("{\"a\":18446744073709551616}\n{\"a\":1}\n"), "a: double");  // 2 to the power of 64
  EXPECT_EQ(schema("{\"a\":9007199254740992}\n{\"a\":0.5}\n"), "a: double");
  EXPECT_THAT(error("{\"a\":0.5}\n{\"a\":9007199254740993}\n"), HasSubstr("row 2, field 'a': '9007199254740993' would lose digits as a number"));
  EXPECT_THAT(error("{\"a\":1}\n{\"a\":18446744073709551615}\n"),
              AllOf(HasSubstr("row 2, field 'a': '18446744073709551615' has more digits than a number can hold"), HasSubstr("the type \"string\" of 'a'")));
  EXPECT_THAT(error("{\"a\":{\"b\":[1e400]}}\n"), HasSubstr("row 1, field 'a.b[]': '1e400' is beyond what a number can hold"));
  EXPECT_EQ(rows("{\"a\":18446744073709551615}\n{\"a\":1.50}\n", {.types = {{"a", Type::string}}}),
            R"([{"_id":1,"a":"18446744073709551615"},{"_id":2,"a":"1.50"}])");
}

TEST_F(JsonIngest, ValuesOfSeveralKindsAreNamed) {
  EXPECT_THAT(error("{\"a\":1}\n\n{\"a\":null}\n{\"a\":\"x\"}\n"),
              HasSubstr("row 3, field 'a': the text 'x' where row 1 has the number '1': the type \"string\" of 'a' in `types` keeps all as it is written"));
  EXPECT_THAT(error("{\"a\":{\"b\":[true,\"no\"]}}\n"), AllOf(HasSubstr("row 1, field 'a.b[]'"), HasSubstr("the boolean 'true'"), HasSubstr("the text 'no'")));
  EXPECT_THAT(error("{\"a\":[1]}\n{\"a\":{\"b\":1}}\n"), AllOf(HasSubstr("row 2"), HasSubstr(R"(the object '{"b":1}')"), HasSubstr("the list '[1]'")));
  auto lines = many("{\"a\":1}\n");
  EXPECT_THAT(error(lines + "{\"a\":\"x\"}\n"), HasSubstr("row " + std::to_string(count(lines) + 1) + ", field 'a': the text 'x' where row 1 has"));
}

TEST_F(JsonIngest, TypesThatAreAskedFor) {
  EXPECT_EQ(rows("{\"a\":\"007\",\"t\":\"2026-01-01\"}\n{\"a\":3.0,\"t\":null}\n{\"a\":true}\n",
                 {.types = {{"a", Type::integer}, {"t", Type::timestamp}}}),
            R"([{"_id":1,"a":7,"t":"2026-01-01T00:00:00Z"},{"_id":2,"a":3,"t":null},{"_id":3,"a":1,"t":null}])");
  EXPECT_EQ(rows("{\"a\":{\"b\": [1.50, \"x\\n\"]}}\n{\"a\":false}\n{\"a\":null}\n{\"a\":\"\"}\n", {.types = {{"a", Type::string}}}),
            R"([{"_id":1,"a":"{\"b\":[1.50,\"x\\n\"]}"},{"_id":2,"a":"false"},{"_id":3,"a":null},{"_id":4,"a":""}])");
  EXPECT_EQ(rows("{\"a\":1e3}\n{\"a\":9007199254740993.00}\n", {.types = {{"a", Type::integer}}}),
            R"([{"_id":1,"a":1000},{"_id":2,"a":9007199254740993}])");
  EXPECT_EQ(rows("{\"a\":1.0}\n{\"a\":\"\"}\n", {.types = {{"a", Type::boolean}}}), R"([{"_id":1,"a":true},{"_id":2,"a":null}])");
  EXPECT_THAT(error("{\"a\":1}\n{\"a\":1.5}\n", {.types = {{"a", Type::integer}}}), HasSubstr("row 2, field 'a': '1.5' is not an integer"));
  EXPECT_THAT(error("{\"a\":[1]}\n", {.types = {{"a", Type::number}}}), HasSubstr("row 1, field 'a': '[1]' is not a number"));
  EXPECT_THAT(error("{\"name\":1}\n", {.types = {{"nam", Type::number}}}), HasSubstr("there is no field 'nam': did you mean 'name'?"));
  EXPECT_EQ(schema(many("{\"a\":1}\n") + "{\"b\":1}\n", {.types = {{"b", Type::number}}}), "a: int64\nb: double");  // a field that comes late
}

TEST_F(JsonIngest, WhatComesLateCountsToo) {
  auto lines = many("{\"a\":1,\"s\":{\"x\":1},\"n\":null}\n");
  EXPECT_EQ(ingest(lines, {}, fresh()).value().rows, count(lines));
  EXPECT_EQ(opened_again_, 0);
  auto manifest = ingest(lines + "{\"a\":2.5,\"s\":{\"y\":[true]},\"n\":7,\"late\":\"x\"}\n", {}, fresh()).value();
  EXPECT_EQ(opened_again_, 2);
  EXPECT_EQ(manifest.rows, count(lines) + 1);
  EXPECT_EQ(schema(lines + "{\"a\":2.5,\"s\":{\"y\":[true]},\"n\":7,\"late\":\"x\"}\n"),
            "a: double\ns: struct<x: int64, y: list<element: bool>>\nn: int64\nlate: string");
  EXPECT_EQ(schema(lines + "{\"n\":\"x\"}\n").substr(0, 8), "a: int64");
  EXPECT_EQ(opened_again_, 0);  // a field of nulls is a text already
}

TEST_F(JsonIngest, BrokenLinesAreNamed) {
  EXPECT_THAT(error("{\"a\":1}\n{\"a\":}\n"), AllOf(HasSubstr("row 2, "), HasSubstr("column 6"), HasSubstr(R"('{"a":}')")));
  EXPECT_THAT(error("{\"a\":1}\n\n\n{\"a\":1"), HasSubstr("row 2 (line 4), invalid JSON at column 7: the text ends too early"));
  EXPECT_THAT(error("{\"a\":1} {\"a\":2}\n"), HasSubstr("more text after the end of the value"));
  EXPECT_THAT(error("{\n\"a\":1}\n"), HasSubstr("(a row is one object on one line)"));
  EXPECT_THAT(error("1\n"), HasSubstr("row 1, an object is expected, not '1'"));
  EXPECT_THAT(error("{\"a\":NaN}\n"), HasSubstr("invalid JSON at column 6"));
  EXPECT_THAT(error("{\"a\":\"\\ud800\"}\n"), HasSubstr("invalid JSON"));
  EXPECT_THAT(error("{\"a\":\"x\xff\"}\n"), HasSubstr("row 1, '{\"a\":\"x\\xff\"}' is not UTF-8: give the file's `encoding`"));
  auto lines = many("{\"a\":1}\n\n");
  EXPECT_THAT(error(lines + "{"), HasSubstr("row " + std::to_string(count(lines) / 2 + 1) + " (line " + std::to_string(count(lines) + 1) + ")"));
  EXPECT_THAT(error("{\"a\":" + std::string(100, '[') + "\n"), HasSubstr("nested deeper than 64 levels"));
}

TEST_F(JsonIngest, NamesThatClash) {
  EXPECT_THAT(error("{\"a\":1}\n{\"a\":1,\"b\":2,\"a\":3}\n"), HasSubstr("row 2, the field 'a' is there twice"));
  EXPECT_THAT(error("{\"a\":{\"b\":1,\"b\":2}}\n"), HasSubstr("row 1, the field 'b' is there twice"));
  auto lines = many("{\"a\":1}\n");
  EXPECT_THAT(error(lines + "{\"a\":1,\"a\":1}\n"), HasSubstr("row " + std::to_string(count(lines) + 1) + ", the field 'a' is there twice"));
  EXPECT_THAT(error("{\"_id\":1}\n"), HasSubstr("'_id'"));
  EXPECT_THAT(error("{\"\":1}\n"), HasSubstr("no name"));
  EXPECT_EQ(rows(R"({"a":{"_id":1}})"), R"([{"_id":1,"a":{"_id":1}}])");
}

TEST_F(JsonIngest, TooMuch) {
  std::string wide = "{\"x\":0";
  for (int i = 0; i < 10'000; ++i) wide += ",\"c" + std::to_string(i) + "\":1";
  EXPECT_THAT(error(wide + "}\n"), HasSubstr("more than 10000 fields"));
  auto spread = many("{\"x\":1}\n") + "{\"y\":{\"z\":0";
  for (int i = 0; i < 9'998; ++i) spread += ",\"c" + std::to_string(i) + "\":1";
  EXPECT_THAT(error(spread + "}}\n"), HasSubstr("more than 10000 fields"));
  std::string cell(3 << 20, 'x');
  EXPECT_EQ(ingest("{\"a\":\"" + cell + "\"}\n{\"a\":\"y\"}\n", {}, fresh()).value().rows, 2);
  EXPECT_THAT(error("{\"a\":1}\n{\"a\":\"" + cell + "\"}\n", {.max_row_bytes = 1 << 20}), HasSubstr("line 2 has at least 1048576 bytes"));
}

// Rows of two bytes whose fields are many are taken in blocks of fewer rows.
TEST_F(JsonIngest, FieldsThatRowsDoNotHaveCountForTheSizeOfBlocks) {
  std::string lines = "{\"x\":0";
  for (int i = 0; i < 999; ++i) lines += ",\"c" + std::to_string(i) + "\":1";
  lines += "}\n";
  for (int i = 0; i < 6'000; ++i) lines += "{}\n";
  int blocks = 0;
  auto manifest = ingest_json(open_json(open_text(lines), {}).value(), fresh(), [&](const IngestProgress&) { ++blocks; }, {}, {}).value();
  EXPECT_EQ(manifest.rows, 6'001);
  EXPECT_EQ(manifest.fields.size(), 1'000U);
  EXPECT_EQ(blocks, 3);  // of 2,097 rows
}

TEST_F(JsonIngest, NothingToRead) {
  for (std::string content : {"", "\n\n", " ", "\xef\xbb\xbf", "[]", "[ \n ]"}) EXPECT_EQ(error(content), "the file is empty");
  EXPECT_EQ(error("{}\n{}\n"), "none of the 2 rows has a field");
  EXPECT_THAT(error("<!DOCTYPE html><html></html>\n"), HasSubstr("web page"));
}

TEST_F(JsonIngest, Stops) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ingest("{\"a\":1}\n", {}, fresh(), stop.get_token()).error().code, Code::cancelled);
  EXPECT_EQ(files(), 0U);
}

TEST_F(JsonIngest, Options) {
  auto options = parse_json_options({{"types", {{"a", "integer"}}}, {"encoding", "utf-16"}, {"other", 1}}).value();
  EXPECT_EQ(options.types.at("a"), Type::integer);
  EXPECT_EQ(options.encoding, "utf-16");
  EXPECT_EQ(parse_json_options({{"types", "infer"}}).error().fields.front().pointer, "/types");
  EXPECT_EQ(parse_json_options({{"types", {{"a", "int"}}}}).error().fields.front().pointer, "/types/a");
  EXPECT_EQ(parse_json_options({{"encoding", "utf-9"}}).error().fields.front().pointer, "/encoding");
  EXPECT_EQ(parse_json_options({{"encoding", 8}}).error().fields.front().pointer, "/encoding");
}

}  // namespace
}  // namespace lo::dataset
