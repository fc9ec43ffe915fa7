#include "dataset/column_match.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "dataset/cell.h"
#include "dataset/query.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kRows = 40;

using Random = std::mt19937;

template <class Builder, class Value>
std::shared_ptr<arrow::Array> column(Random& random, const std::vector<Value>& values) {
  Builder builder;
  for (std::int64_t i = 0; i < kRows; ++i) {
    auto status = random() % 6 == 0 ? builder.AppendNull() : builder.Append(values[random() % values.size()]);
    EXPECT_TRUE(status.ok());
  }
  return builder.Finish().ValueOrDie();
}

template <class Number>
std::vector<Number> whole_numbers() {
  using Limits = std::numeric_limits<Number>;
  return {Number(0), Number(1), Number(2), Number(3), Limits::min(), Limits::max(), Number(Limits::max() - 1)};
}

template <class Number>
std::vector<Number> fractions() {
  using Limits = std::numeric_limits<Number>;
  return {Number(0), Number(-0.0), Number(1), Number(2.5), Number(-3), Number(0.1), Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::max(), Limits::denorm_min()};
}

std::shared_ptr<arrow::Array> times(Random& random) {
  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), arrow::default_memory_pool());
  for (std::int64_t i = 0; i < kRows; ++i) EXPECT_TRUE(builder.Append(static_cast<std::int64_t>(random() % 3) * 500'000).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> nested(const std::shared_ptr<arrow::DataType>& type, const char* first, const char* second) {
  std::string json = "[";
  for (std::int64_t i = 0; i < kRows; ++i) json += fmt::format("{}{}", i == 0 ? "" : ",", i % 3 == 0 ? "null" : i % 2 == 0 ? first : second);
  return arrow::json::ArrayFromJSONString(type, json + "]").ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> table(Random& random) {
  using Text = std::string;
  const std::vector<Text> texts{"", "a", "b", "A", "ab", "é", "1", Text("\0x", 2), "zz"};
  auto labels = column<arrow::StringBuilder>(random, texts);
  std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>> columns{
      {"i8", column<arrow::Int8Builder>(random, whole_numbers<std::int8_t>())},
      {"i64", column<arrow::Int64Builder>(random, whole_numbers<std::int64_t>())},
      {"u32", column<arrow::UInt32Builder>(random, whole_numbers<std::uint32_t>())},
      {"u64", column<arrow::UInt64Builder>(random, whole_numbers<std::uint64_t>())},
      {"f32", column<arrow::FloatBuilder>(random, fractions<float>())},
      {"f64", column<arrow::DoubleBuilder>(random, fractions<double>())},
      {"f16", column<arrow::HalfFloatBuilder>(random, std::vector<std::uint16_t>{arrow::util::Float16(1.0F).bits(), arrow::util::Float16(2.5F).bits()})},
      {"b", column<arrow::BooleanBuilder>(random, std::vector<bool>{true, false})},
      {"t", column<arrow::StringBuilder>(random, texts)},
      {"lt", column<arrow::LargeStringBuilder>(random, texts)},
      {"vt", column<arrow::StringViewBuilder>(random, texts)},
      {"time", times(random)},
      {"none", std::make_shared<arrow::NullArray>(kRows)},
      {"list", nested(arrow::list(arrow::int64()), "[1, 2, null]", "[]")},
      {"o", nested(arrow::struct_({arrow::field("k", arrow::int64()), arrow::field("l", arrow::utf8())}), R"({"k": 1, "l": "a"})", R"({"k": 2, "l": null})")},
      {"o.k", column<arrow::Int64Builder>(random, whole_numbers<std::int64_t>())},
      {"t.k", column<arrow::Int64Builder>(random, whole_numbers<std::int64_t>())},
      {"label", labels},
      {"label", column<arrow::Int64Builder>(random, whole_numbers<std::int64_t>())},
      {"_id", labels},
  };
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), kRows, arrays);
}

const std::vector<std::string> kFields{"i8", "i64", "u32", "u64", "f32", "f64", "f16", "b", "t", "lt", "vt", "time", "none", "list", "o", "o.k", "o.l", "t.k", "t.x", "label", "_id", "_id.x", "list.0", "nothing", "no.thing"};
const std::vector<std::string> kOperands{"0", "1", "2", "2.5", "-3", "0.1", "0.5", "127", "-128", "9223372036854775807", "18446744073709551615", "9223372036854775808", "1e300", "3.4028234663852886e38",
                                         "null", "true", "false", "\"\"", "\"a\"", "\"A\"", "\"b\"", "\"\\u0000x\"", "\"1970-01-01T00:00:00.5Z\"", "\"é\"", "[]", "[1, 2, null]", "{\"k\": 1, \"l\": \"a\"}"};
const std::vector<std::string> kPatterns{"a", "^$", "^.$", "b|1", "[^a]"};

class Queries {
 public:
  explicit Queries(Random& random) : random_(random) {}

  std::string any(int depth) {
    if (depth == 0 || random_() % 3 == 0) return fmt::format(R"({{"{}": {}}})", one_of(kFields), test());
    std::vector<std::string> parts;
    for (std::size_t i = random_() % 3 + 1; i > 0; --i) parts.push_back(any(depth - 1));
    return fmt::format(R"({{"{}": [{}]}})", one_of({"$and", "$or", "$nor"}), fmt::join(parts, ", "));
  }

 private:
  const std::string& one_of(const std::vector<std::string>& all) { return all[random_() % all.size()]; }

  std::string test() {
    switch (random_() % 8) {
      case 0: return one_of(kOperands);
      case 1: return fmt::format(R"({{"$regex": "{}", "$options": "{}"}})", one_of(kPatterns), random_() % 2 == 0 ? "i" : "");
      case 2: return fmt::format(R"({{"$exists": {}}})", random_() % 2 == 0);
      case 3: return fmt::format(R"({{"{}": [{}, {}, {}]}})", one_of({"$in", "$nin"}), one_of(kOperands), one_of(kOperands), one_of(kOperands));
      case 4: return fmt::format(R"({{"$not": {{"{}": {}}}}})", one_of({"$gt", "$lte"}), plain());
      case 5: return fmt::format(R"({{"{}": {}}})", one_of({"$eq", "$ne"}), one_of(kOperands));
      default: return fmt::format(R"({{"{}": {}}})", one_of({"$gt", "$gte", "$lt", "$lte"}), plain());
    }
  }

  // Lists and objects have no order.
  const std::string& plain() { return kOperands[random_() % (kOperands.size() - 3)]; }

  Random& random_;
};

// Against the documents that the rows are, one by one.
TEST(ColumnMatch, FindsTheRowsWhoseDocumentsMatch) {
  Random random(3);
  std::int64_t matches = 0;
  for (int round = 0; round < 60; ++round) {
    auto batch = table(random);
    std::int64_t from = round % 3 == 0 ? 7 : 0;
    auto slice = batch->Slice(from, kRows - 2 * from);
    for (int i = 0; i < 20; ++i) {
      auto text = Queries(random).any(3);
      auto query = parse_query(text);
      ASSERT_TRUE(query) << text << ": " << query.error().message;
      auto marks = matching(query->root(), *slice, from + 1);
      ASSERT_EQ(std::ssize(marks), slice->num_rows());
      for (std::int64_t row = 0; row < slice->num_rows(); ++row) {
        bool expected = query->matches(row_json(*slice, row, from + 1 + row));
        matches += expected ? 1 : 0;
        ASSERT_EQ(marks[static_cast<std::size_t>(row)], expected ? 1 : 0) << text << "\n" << json::serialize(row_json(*slice, row, from + 1 + row));
      }
    }
  }
  EXPECT_GT(matches, 5'000);
}

TEST(ColumnMatch, NeedsNoColumns) {
  auto batch = arrow::RecordBatch::Make(arrow::schema({}), 3, arrow::ArrayVector());
  EXPECT_EQ(matching(parse_query(R"({"_id": {"$gt": 6}})")->root(), *batch, 5), (Marks{0, 0, 1}));
  EXPECT_EQ(matching(parse_query(R"({"x": null})")->root(), *batch, 5), (Marks{1, 1, 1}));
  EXPECT_EQ(matching(Query().root(), *batch, 5), (Marks{1, 1, 1}));
}

}  // namespace
}  // namespace lo::dataset
