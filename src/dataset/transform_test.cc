// Projection, conversion and pages of tables, also of tables that were not made from CSV.
#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/cast.h"
#include "dataset/convert.h"
#include "dataset/project.h"
#include "dataset/table_file.h"
#include "dataset/table_writer.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Transform : public FolderTest {
 protected:
  std::filesystem::path write_table(const std::shared_ptr<arrow::RecordBatch>& batch) {
    auto to = fresh();
    auto writer = TableWriter::open(to, batch->schema()).value();
    EXPECT_TRUE(writer.write(*batch));
    EXPECT_TRUE(writer.finish());
    return to;
  }

  std::string cast_rows(const std::filesystem::path& from, const Types& types) {
    auto to = fresh();
    auto manifest = cast(from, types, to);
    EXPECT_TRUE(manifest) << manifest.error().message;
    return rows_of(to);
  }

  std::string cast_error(const std::filesystem::path& from, const Types& types) {
    auto before = files();
    auto manifest = cast(from, types, fresh());
    EXPECT_FALSE(manifest);
    EXPECT_EQ(files(), before);
    if (manifest) return {};
    EXPECT_EQ(manifest.error().code, Code::unacceptable);
    return manifest.error().fields.at(0).pointer + " " + manifest.error().fields.at(0).detail;
  }
};

template <class Builder, class... Values>
std::shared_ptr<arrow::Array> array_of(Builder&& builder, Values... values) {
  EXPECT_TRUE((builder.Append(values).ok() && ...));
  EXPECT_TRUE(builder.AppendNull().ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> batch_of(std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>> columns) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  auto rows = arrays.front()->length();
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

TEST_F(Transform, ProjectionKeepsTheOrderAsked) {
  auto from = table("a,b,c\n1,2,3\n4,5,6\n");
  std::vector<std::string> names{"c", "a"};
  auto to = fresh();
  auto manifest = project(from, names, to).value();
  EXPECT_EQ(manifest.rows, 2);
  EXPECT_EQ(manifest.fields, (std::vector<store::Field>{{"c", "string"}, {"a", "string"}}));
  EXPECT_EQ(rows_of(to), R"([{"_id":1,"c":"3","a":"1"},{"_id":2,"c":"6","a":"4"}])");
}

TEST_F(Transform, ProjectionErrors) {
  auto from = table("Age,Name\n1,2\n");
  auto failed = [&](std::vector<std::string> names) {
    auto manifest = project(from, names, fresh());
    EXPECT_FALSE(manifest);
    EXPECT_EQ(manifest.error().code, Code::unacceptable);
    return manifest.error().fields.at(0).pointer + " " + manifest.error().fields.at(0).detail;
  };
  EXPECT_THAT(failed({"Age", "Nme"}), AllOf(HasSubstr("/names/1"), HasSubstr("'Nme'"), HasSubstr("'Name'")));
  EXPECT_THAT(failed({"Age", "Age"}), AllOf(HasSubstr("/names/1"), HasSubstr("twice")));
  EXPECT_THAT(failed({}), HasSubstr("/names"));
  std::stop_source stop;
  stop.request_stop();
  std::vector<std::string> names{"Age"};
  EXPECT_EQ(project(from, names, fresh(), stop.get_token()).error().code, Code::cancelled);
  EXPECT_EQ(files(), 1u);
}

TEST_F(Transform, TextsToTypes) {
  auto from = table("n,i,b,t\n1,+5,TRUE,2026-01-31 10:20\n-1.5e3,-7,0,\n .5 ,,false,2026-01-31T10:20:30Z\ninf,,,\n");
  Types types{{"n", Type::number}, {"i", Type::integer}, {"b", Type::boolean}, {"t", Type::timestamp}};
  EXPECT_EQ(
      cast_rows(from, types),
      R"([{"_id":1,"n":1,"i":5,"b":true,"t":"2026-01-31T10:20:00Z"},{"_id":2,"n":-1500,"i":-7,"b":false,"t":null},)"
      R"({"_id":3,"n":5E-1,"i":null,"b":false,"t":"2026-01-31T10:20:30Z"},{"_id":4,"n":null,"i":null,"b":null,"t":null}])");
}

TEST_F(Transform, WhatDoesNotConvertIsNamed) {
  auto from = table("Age,x\n1,2\n,3\nabc,4\n");
  EXPECT_EQ(cast_error(from, {{"Age", Type::number}}), "/types/Age row 3, field 'Age': 'abc' is not a number");
  EXPECT_EQ(cast_error(table("a\n1.5\n"), {{"a", Type::integer}}), "/types/a row 1, field 'a': '1.5' is not an integer");
  EXPECT_THAT(cast_error(table("a\n0x10\n"), {{"a", Type::integer}}), HasSubstr("'0x10'"));
  EXPECT_THAT(cast_error(table("a\n9223372036854775808\n"), {{"a", Type::integer}}), HasSubstr("9223372036854775808"));
  EXPECT_THAT(cast_error(table("a\nno\n"), {{"a", Type::boolean}}), HasSubstr("'no' is not a boolean"));
  EXPECT_THAT(cast_error(table("a\nyesterday\n"), {{"a", Type::timestamp}}), HasSubstr("'yesterday' is not a timestamp"));
  EXPECT_THAT(cast_error(from, {{"Ag", Type::number}}), AllOf(HasSubstr("/types/Ag"), HasSubstr("did you mean 'Age'")));
  std::string many = "a\n";
  for (int i = 0; i < 200'000; ++i) many += "1\n";
  EXPECT_THAT(cast_error(table(many + "x\n"), {{"a", Type::number}}), HasSubstr("row 200001"));
}

TEST_F(Transform, ThereAndBackAgain) {
  auto from = table("a,b\n3,true\n,false\n0.1,\n1e300,\n");
  auto typed = fresh();
  ASSERT_TRUE(cast(from, {{"a", Type::number}, {"b", Type::boolean}}, typed));
  EXPECT_EQ(
      cast_rows(typed, {{"a", Type::string}, {"b", Type::string}}),
      R"([{"_id":1,"a":"3","b":"true"},{"_id":2,"a":"","b":"false"},{"_id":3,"a":"0.1","b":""},{"_id":4,"a":"1e+300","b":""}])");
  EXPECT_EQ(cast_rows(typed, {{"b", Type::number}}),
            R"([{"_id":1,"a":3,"b":1},{"_id":2,"a":null,"b":0},{"_id":3,"a":1E-1,"b":null},{"_id":4,"a":1E300,"b":null}])");
  EXPECT_EQ(cast_error(typed, {{"a", Type::integer}}), "/types/a row 3, field 'a': '0.1' is not an integer");
  EXPECT_EQ(cast_rows(table("a\n1\n3\n"), {{"a", Type::integer}}), R"([{"_id":1,"a":1},{"_id":2,"a":3}])");
}

TEST_F(Transform, NothingNamedChangesNothing) {
  auto from = table("a\n1\n");
  EXPECT_EQ(cast_rows(from, {}), rows_of(from));
}

TEST_F(Transform, TypeWords) {
  EXPECT_EQ(parse_types({{"a", "number"}}).value(), (Types{{"a", Type::number}}));
  auto wrong = parse_types({{"a/b", "nmber"}}).error();
  EXPECT_EQ(wrong.fields.at(0).pointer, "/types/a~1b");
  EXPECT_THAT(wrong.fields.at(0).detail, AllOf(HasSubstr("'nmber'"), HasSubstr("did you mean 'number'")));
  EXPECT_FALSE(parse_types({{"a", 1}}));
}

TEST_F(Transform, AnyParquetHasFieldsAndPages) {
  auto pool = arrow::default_memory_pool();
  auto items = std::make_shared<arrow::DoubleBuilder>();
  arrow::ListBuilder lists(pool, items);
  ASSERT_TRUE(lists.Append().ok() && items->AppendValues({0.5, 1.0}).ok() && lists.AppendNull().ok());
  auto structs = arrow::StructArray::Make({array_of(arrow::Int64Builder(), 7)}, {"k"}).ValueOrDie();
  auto parquet = write_table(batch_of({
      {"i8", array_of(arrow::Int8Builder(), std::int8_t{-1})},
      {"u64", array_of(arrow::UInt64Builder(), ~std::uint64_t{0})},
      {"f32", array_of(arrow::FloatBuilder(), 0.5F)},
      {"f", array_of(arrow::DoubleBuilder(), 3.0)},
      {"nan", array_of(arrow::DoubleBuilder(), std::numeric_limits<double>::quiet_NaN())},
      {"b", array_of(arrow::BooleanBuilder(), true)},
      {"day", array_of(arrow::Date32Builder(), -1)},
      {"ns", array_of(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::NANO), pool), std::int64_t{-1'500'000'000})},
      {"bin", array_of(arrow::BinaryBuilder(), "\xff")},
      {"dict", array_of(arrow::StringDictionaryBuilder(), "word")},
      {"dec", array_of(arrow::Decimal128Builder(arrow::decimal128(5, 2)), arrow::Decimal128(1250))},
      {"list", lists.Finish().ValueOrDie()},
      {"struct", structs},
      {"_id", array_of(arrow::Int64Builder(), 99)},
  }));
  auto read = TableReader::open(parquet).value();
  std::vector<std::string> types;
  auto fields = read.fields();
  for (const auto& field : fields) types.push_back(field.type);
  EXPECT_THAT(types, ::testing::ElementsAre("integer", "integer", "number", "number", "number", "boolean", "timestamp",
                                            "timestamp", "other", "string", "number", "list", "other", "integer"));
  EXPECT_EQ(read.rows(), 2);
  EXPECT_EQ(json::serialize(read_page(parquet, 0, 1).value()),
            R"([{"_id":1,"i8":-1,"u64":18446744073709551615,"f32":5E-1,"f":3,"nan":null,"b":true,"day":"1969-12-31",)"
            R"("ns":"1969-12-31T23:59:58.5","bin":"/w==","dict":"word","dec":1.25E1,"list":[5E-1,1],"struct":{"k":7}}])");
  EXPECT_EQ(json::serialize(read_page(parquet, 1, 1).value()),
            R"([{"_id":2,"i8":null,"u64":null,"f32":null,"f":null,"nan":null,"b":null,"day":null,"ns":null,"bin":null,)"
            R"("dict":null,"dec":null,"list":null,"struct":{"k":null}}])");
  std::vector<std::string> names{"struct", "i8"};
  EXPECT_TRUE(project(parquet, names, fresh()));
  EXPECT_EQ(rows_of(path("table2.parquet")), R"([{"_id":1,"struct":{"k":7},"i8":-1},{"_id":2,"struct":{"k":null},"i8":null}])");
}

TEST_F(Transform, PagesAtAnyDepth) {
  std::string csv = "n\n";
  for (int i = 1; i <= 150'000; ++i) csv += std::to_string(i) + "\n";
  auto parquet = table(csv);
  for (std::int64_t skip : {0, 65'530, 131'070, 149'995}) {
    auto page = read_page(parquet, skip, 10).value();
    ASSERT_EQ(page.size(), static_cast<std::size_t>(std::min<std::int64_t>(10, 150'000 - skip)));
    for (std::size_t i = 0; i < page.size(); ++i) {
      auto id = skip + static_cast<std::int64_t>(i) + 1;
      EXPECT_EQ(page[i].at("_id"), id);
      EXPECT_EQ(page[i].at("n"), json::value(std::to_string(id)));
    }
  }
  EXPECT_TRUE(read_page(parquet, 150'000, 10).value().empty());
  EXPECT_TRUE(read_page(parquet, -5, 0).value().empty());
  EXPECT_EQ(read_page(parquet, -5, 1).value()[0].at("_id"), 1);
}

TEST_F(Transform, WhatIsNoParquetIsCorrupt) {
  for (std::string_view content : {"", "PAR1", "not a table at all, not at all"}) {
    auto result = TableReader::open(write("x.parquet", content));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::corrupt) << result.error().message;
  }
  auto good = table("a\n1\n2\n");
  std::filesystem::resize_file(good, std::filesystem::file_size(good) - 5);
  EXPECT_EQ(read_page(good, 0, 1).error().code, Code::corrupt);
  EXPECT_FALSE(TableReader::open(path("missing.parquet")));
}

}  // namespace
}  // namespace lo::dataset
