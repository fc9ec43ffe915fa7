#include "dataset/profile.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;

const std::vector<std::pair<std::string, double>> kShares{{"0.01", 0.01}, {"0.05", 0.05}, {"0.25", 0.25}, {"0.5", 0.5},
                                                          {"0.75", 0.75}, {"0.95", 0.95}, {"0.99", 0.99}};

bool is_less(const json::value& a, const json::value& b) {
  if (a.is_string()) return a.get_string() < b.get_string();
  if (a.is_bool()) return a.get_bool() < b.get_bool();
  if (a.is_array()) return false;  // lists have no order
  if (a.is_int64() && b.is_int64()) return a.get_int64() < b.get_int64();
  if (a.is_uint64() && b.is_uint64()) return a.get_uint64() < b.get_uint64();
  return a.to_number<double>() < b.to_number<double>();
}

// A column as pages show it, without its nulls, sorted.
struct Shown {
  std::vector<json::value> values;
  std::int64_t nulls = 0;
  std::map<std::string, std::int64_t> counts;  // by JSON text
};

class ProfileTest : public FolderTest {
 protected:
  static Shown shown(const std::filesystem::path& table, const std::string& field) {
    Shown found;
    auto rows = read_page(table, 0, 1'000'000, {field}).value();
    for (const auto& row : rows) {
      const auto& value = row.as_object().at(field);
      if (value.is_null()) {
        ++found.nulls;
        continue;
      }
      ++found.counts[write_json(value)];
      found.values.push_back(value);
    }
    std::ranges::stable_sort(found.values, is_less);
    return found;
  }

  std::filesystem::path written(const std::shared_ptr<arrow::Table>& table, std::int64_t group_rows, bool dictionary) {
    auto to = fresh();
    auto sink = arrow::io::FileOutputStream::Open(to.string()).ValueOrDie();
    parquet::WriterProperties::Builder properties;
    if (!dictionary) properties.disable_dictionary();
    auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, group_rows, properties.build(), arrow_properties).ok());
    EXPECT_TRUE(sink->Close().ok());
    return to;
  }

  static json::object field_of(const json::object& profile, const std::string& name) {
    for (const auto& field : profile.at("fields").as_array())
      if (field.at("name").as_string() == name) return field.as_object();
    ADD_FAILURE() << "there is no field " << name;
    return {};
  }

  static json::object field_of(const std::filesystem::path& table, const std::string& name) { return field_of(profile(table, {}).value(), name); }

  CsvOptions inferred() { return parse_csv_options(json::object{{"types", "infer"}}).value(); }
};

// --- What is told is what a computation says that knows all values ---

void expect_distinct(const json::object& field, const Shown& all) {
  auto distinct = static_cast<std::int64_t>(all.counts.size());
  auto error = field.at("distinctError").to_number<double>();
  EXPECT_EQ(error == 0, distinct <= 4096);
  auto off = std::abs(field.at("distinct").to_number<double>() - static_cast<double>(distinct));
  EXPECT_LE(off, 4 * error * static_cast<double>(distinct));
}

void expect_top(const json::object& field, const Shown& all) {
  auto error = field.at("topError").as_int64();
  EXPECT_LE(error, std::ssize(all.values) / 4097);
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  auto rest = all.counts;
  for (const auto& each : field.at("top").as_array()) {
    auto count = each.at("count").as_int64(), real = all.counts.at(write_json(each.at("value")));
    EXPECT_LE(count, real);
    EXPECT_GE(count + error, real);
    EXPECT_LE(count, before);
    before = count;
    rest.erase(write_json(each.at("value")));
  }
  bool full = field.at("top").as_array().size() == 10;
  for (const auto& [value, count] : rest) EXPECT_LE(count, full ? before + error : 2 * error) << value;
}

void expect_quantiles(const json::object& field, const Shown& all) {
  auto size = static_cast<double>(all.values.size());
  auto error = field.at("quantileError").to_number<double>();
  EXPECT_LT(error, 0.001);
  if (all.counts.size() <= 2048) {
    EXPECT_EQ(error, 0);
  }
  for (const auto& [name, share] : kShares) {
    auto [from, to] = std::equal_range(all.values.begin(), all.values.end(), field.at("quantiles").at(name), is_less);
    auto wanted = std::ceil(share * size);
    EXPECT_LE(static_cast<double>(from - all.values.begin()) + 1, wanted + error * size) << name;
    EXPECT_GE(static_cast<double>(to - all.values.begin()), wanted - error * size) << name;
  }
}

void expect_moments(const json::object& field, const Shown& all) {
  long double sum = 0, squares = 0;
  for (const auto& value : all.values) sum += value.to_number<double>();
  auto count = static_cast<long double>(all.values.size()), mean = sum / count;
  for (const auto& value : all.values) squares += (value.to_number<double>() - mean) * (value.to_number<double>() - mean);
  auto deviation = static_cast<double>(std::sqrt(squares / (count - 1)));
  EXPECT_NEAR(field.at("mean").to_number<double>(), static_cast<double>(mean), 1e-9 * (std::abs(static_cast<double>(mean)) + deviation));
  EXPECT_NEAR(field.at("standardDeviation").to_number<double>(), deviation, 1e-9 * deviation);
}

void expect_lengths(const json::object& field, const Shown& all) {
  auto [shortest, longest] = std::ranges::minmax(all.values, {}, [](const json::value& text) { return text.get_string().size(); });
  EXPECT_EQ(field.at("shortest"), static_cast<std::int64_t>(shortest.get_string().size()));
  EXPECT_EQ(field.at("longest"), static_cast<std::int64_t>(longest.get_string().size()));
}

void expect_field(const json::object& field, const Shown& all) {
  SCOPED_TRACE(write_json(field));
  EXPECT_EQ(field.at("count"), std::ssize(all.values));
  EXPECT_EQ(field.at("nulls"), all.nulls);
  EXPECT_EQ(field.contains("top"), field.at("type") != "list" && field.at("type") != "other");
  if (!field.contains("top")) return;
  ASSERT_FALSE(all.values.empty());
  EXPECT_EQ(write_json(field.at("min")), write_json(all.values.front()));
  EXPECT_EQ(write_json(field.at("max")), write_json(all.values.back()));
  expect_distinct(field, all);
  expect_top(field, all);
  if (field.contains("quantiles")) expect_quantiles(field, all);
  if (field.contains("standardDeviation")) expect_moments(field, all);
  if (field.contains("shortest")) expect_lengths(field, all);
}

// --- Random tables ---

using Random = std::mt19937_64;

// `make(i)` for each row, and here and there a null.
template <class Builder, class Make>
std::shared_ptr<arrow::Array> column(Random& random, std::int64_t rows, Make make, Builder builder = Builder()) {
  for (std::int64_t i = 0; i < rows; ++i) EXPECT_TRUE((random() % 7 == 0 ? builder.AppendNull() : builder.Append(make(i))).ok());
  return builder.Finish().ValueOrDie();
}

double odd_number(Random& random) {
  constexpr auto kInfinity = std::numeric_limits<double>::infinity();
  switch (random() % 50) {
    case 0: return std::nan("");
    case 1: return kInfinity;
    case 2: return -kInfinity;
    case 3: return -0.0;
    default: return std::normal_distribution<double>(3, 1000)(random);
  }
}

std::shared_ptr<arrow::Array> lists(std::int64_t rows) {
  arrow::ListBuilder builder(arrow::default_memory_pool(), std::make_shared<arrow::Int64Builder>());
  auto& items = static_cast<arrow::Int64Builder&>(*builder.value_builder());
  for (std::int64_t i = 0; i < rows; ++i) EXPECT_TRUE(i % 3 == 0 ? builder.AppendNull().ok() : builder.Append().ok() && items.Append(i).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Table> random_table(std::int64_t rows, std::uint64_t seed) {
  Random random(seed);
  auto skewed = [&](std::uint64_t most) { return static_cast<std::int64_t>(random() % (random() % most + 1)); };
  auto text = [](std::int64_t number) { return fmt::format("{}{}", std::string(static_cast<std::size_t>(number % 9), 'x'), number); };
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), arrow::default_memory_pool());
  std::map<std::string, std::shared_ptr<arrow::Array>> columns{
      {"few", column<arrow::Int64Builder>(random, rows, [&](auto) { return skewed(500) - 250; })},
      {"many", column<arrow::Int64Builder>(random, rows, [&](auto) { return skewed(1'000'000) - 1000; })},
      {"each", column<arrow::Int64Builder>(random, rows, [](auto i) { return i; })},
      {"small", column<arrow::Int8Builder>(random, rows, [&](auto) { return static_cast<std::int8_t>(random()); })},
      {"large", column<arrow::UInt64Builder>(random, rows, [&](auto) { return random() | std::uint64_t{1} << 63; })},
      {"odd", column<arrow::DoubleBuilder>(random, rows, [&](auto) { return odd_number(random); })},
      {"rounded", column<arrow::DoubleBuilder>(random, rows, [&](auto) { return std::round(odd_number(random) / 100) + 0.5; })},
      {"short", column<arrow::FloatBuilder>(random, rows, [&](auto) { return static_cast<float>(odd_number(random)); })},
      {"flag", column<arrow::BooleanBuilder>(random, rows, [&](auto) { return random() % 3 == 0; })},
      {"words", column<arrow::StringBuilder>(random, rows, [&](auto) { return text(skewed(300)); })},
      {"texts", column<arrow::StringBuilder>(random, rows, [&](auto) { return text(skewed(100'000)); })},
      {"wide", column<arrow::LargeStringBuilder>(random, rows, [&](auto) { return text(skewed(100)); })},
      {"category", column<arrow::StringDictionaryBuilder>(random, rows, [&](auto) { return text(skewed(40)); })},
      {"time", column<arrow::TimestampBuilder&>(random, rows, [&](auto) { return skewed(2'000'000'000'000); }, times)},
      {"day", column<arrow::Date32Builder>(random, rows, [&](auto) { return static_cast<std::int32_t>(skewed(20'000)); })},
      {"nothing", arrow::MakeArrayOfNull(arrow::null(), rows).ValueOrDie()},
      {"list", lists(rows)},
  };
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(arrays));
}

TEST_F(ProfileTest, SaysWhatANaiveComputationSays) {
  for (bool dictionary : {true, false})
    for (auto [rows, group_rows] : {std::pair{500, 1000}, {6'000, 300}, {6'000, 6'000}}) {
      SCOPED_TRACE(fmt::format("{} rows, {} in a group, {} dictionary", rows, group_rows, dictionary ? "a" : "no"));
      auto path = written(random_table(rows, static_cast<std::uint64_t>(rows + group_rows)), group_rows, dictionary);
      auto found = profile(path, {});
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_EQ(found->at("rows"), rows);
      EXPECT_EQ(found->at("fields").as_array().size(), 17);
      for (const auto& field : found->at("fields").as_array())
        expect_field(field.as_object(), shown(path, std::string(field.at("name").as_string())));
    }
}

TEST_F(ProfileTest, WithADictionaryInTheFileItIsTheSame) {
  auto table = random_table(6'000, 7);
  EXPECT_EQ(write_json(*profile(written(table, 2'000, true), {})), write_json(*profile(written(table, 2'000, false), {})));
}

TEST_F(ProfileTest, IsTheSameEachTime) {
  auto path = written(random_table(6'000, 8), 500, true);
  auto first = write_json(*profile(path, {}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(write_json(*profile(path, {})), first);
}

TEST_F(ProfileTest, ASmallTableInFull) {
  auto path = table("n,s,b\n1,a,true\n2,,false\n2,bb,\n,a,true\n4,ccc,true\n", inferred());
  EXPECT_EQ(write_json(*profile(path, {"n"})),
            R"({"rows":5,"fields":[{"name":"n","type":"integer","count":4,"nulls":1,"distinct":3,"distinctError":0,"min":1,"max":4,"mean":2.25,)"
            R"("standardDeviation":1.2583057392117916,"quantiles":{"0.01":1,"0.05":1,"0.25":1,"0.5":2,"0.75":2,"0.95":4,"0.99":4},"quantileError":0,)"
            R"("top":[{"value":2,"count":2},{"value":1,"count":1},{"value":4,"count":1}],"topError":0}]})");
  EXPECT_EQ(write_json(field_of(path, "s")),
            R"({"name":"s","type":"string","count":5,"nulls":0,"distinct":4,"distinctError":0,"min":"","max":"ccc","shortest":0,"longest":3,)"
            R"("top":[{"value":"a","count":2},{"value":"","count":1},{"value":"bb","count":1},{"value":"ccc","count":1}],"topError":0})");
  EXPECT_EQ(write_json(field_of(path, "b")),
            R"({"name":"b","type":"boolean","count":4,"nulls":1,"distinct":2,"distinctError":0,"min":false,"max":true,)"
            R"("top":[{"value":true,"count":3},{"value":false,"count":1}],"topError":0})");
}

TEST_F(ProfileTest, OfNoRowsAndOfNullsAlone) {
  std::string empty = R"("count":0,"nulls":0,"distinct":0,"distinctError":0,"min":null,"max":null)";
  auto no_rows = table("n,s\n", parse_csv_options(json::object{{"types", {{"n", "number"}}}}).value());
  EXPECT_EQ(profile(no_rows, {}).value().at("rows"), 0);
  EXPECT_EQ(write_json(field_of(no_rows, "s")),
            R"({"name":"s","type":"string",)" + empty + R"(,"shortest":null,"longest":null,"top":[],"topError":0})");
  EXPECT_EQ(write_json(field_of(no_rows, "n")),
            R"({"name":"n","type":"number","count":0,"nulls":0,"notFinite":0,"distinct":0,"distinctError":0,"min":null,"max":null,"mean":null,)"
            R"("standardDeviation":null,"quantiles":{"0.01":null,"0.05":null,"0.25":null,"0.5":null,"0.75":null,"0.95":null,"0.99":null},)"
            R"("quantileError":0,"top":[],"topError":0})");
  auto nulls = field_of(written(arrow::Table::Make(arrow::schema({arrow::field("n", arrow::float64())}),
                                                   {arrow::MakeArrayOfNull(arrow::float64(), 3000).ValueOrDie()}),
                                1000, true),
                        "n");
  EXPECT_EQ(nulls.at("nulls"), 3000);
  EXPECT_EQ(nulls.at("distinct"), 0);
  EXPECT_TRUE(nulls.at("min").is_null() && nulls.at("mean").is_null());
}

TEST_F(ProfileTest, WhatIsNotFiniteIsNullAndCounted) {
  auto path = table("x\nnan\ninf\n-inf\n1\n\n3\n", parse_csv_options(json::object{{"types", {{"x", "number"}}}}).value());
  auto field = field_of(path, "x");
  EXPECT_EQ(field.at("count").as_int64() + field.at("nulls").as_int64(), profile(path, {}).value().at("rows").as_int64());
  EXPECT_EQ(field.at("count"), 2);
  EXPECT_EQ(field.at("notFinite"), 3);
  EXPECT_EQ(field.at("mean"), 2);
  EXPECT_EQ(field.at("max"), 3);
}

TEST_F(ProfileTest, OneValueHasNoStandardDeviation) {
  auto field = field_of(table("n\n7\n", inferred()), "n");
  EXPECT_EQ(field.at("mean"), 7);
  EXPECT_TRUE(field.at("standardDeviation").is_null());
}

TEST_F(ProfileTest, TimesHaveAMeanAndQuantiles) {
  auto field = field_of(table("t\n2026-01-01\n2026-01-03\n2026-01-05\n", inferred()), "t");
  EXPECT_EQ(field.at("type"), "timestamp");
  EXPECT_EQ(field.at("mean"), "2026-01-03T00:00:00Z");
  EXPECT_EQ(field.at("quantiles").at("0.25"), "2026-01-01T00:00:00Z");
  EXPECT_FALSE(field.contains("standardDeviation"));
}

TEST_F(ProfileTest, LongTextsAreCutAndItIsSaid) {
  std::string just(200, 'a');
  auto field = field_of(table("s\n" + just + "b\n" + just + "c\n" + just + "b\nx\n"), "s");
  EXPECT_EQ(field.at("cut"), 200);
  EXPECT_EQ(field.at("longest"), 201);
  EXPECT_EQ(field.at("distinct"), 3) << "texts that begin alike are others";
  EXPECT_EQ(field.at("min").as_string(), just + "…");
  EXPECT_EQ(write_json(field.at("top")), R"([{"value":")" + just + R"(…","count":2},{"value":")" + just + R"(…","count":1},{"value":"x","count":1}])");
  EXPECT_FALSE(field_of(table("s\n" + just + "\n"), "s").contains("cut"));
}

TEST_F(ProfileTest, OnlyTheFieldsThatAreNamedInTheirOrder) {
  auto found = profile(table("a,b,c\n1,2,3\n"), {"c", "a"}).value();
  ASSERT_EQ(found.at("fields").as_array().size(), 2);
  EXPECT_EQ(found.at("fields").at(0).at("name"), "c");
  EXPECT_EQ(found.at("fields").at(1).at("name"), "a");
}

TEST_F(ProfileTest, AnUnknownFieldIsNamed) {
  auto error = profile(table("age\n1\n"), {"ages"}).error();
  EXPECT_EQ(error.code, Code::unacceptable);
  EXPECT_EQ(error.fields.at(0).pointer, "fields");
  EXPECT_THAT(error.fields.at(0).detail, HasSubstr("'age'"));
}

TEST_F(ProfileTest, CanBeStopped) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(profile(table("a\n1\n"), {}, stop.get_token()).error().code, Code::cancelled);
}

TEST_F(ProfileTest, OfAFileThatWasCutShortIsAnError) {
  auto path = written(random_table(5'000, 9), 1000, true);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_EQ(profile(path, {}).error().code, Code::corrupt);
}

TEST_F(ProfileTest, WhatIsKeptIsNotReadAgain) {
  ProfileCache cache(std::size_t{1} << 20);
  auto path = written(random_table(5'000, 10), 1000, true);
  auto some = profile(path, {"words", "few"}, {}, &cache).value();
  auto all = profile(path, {}, {}, &cache).value();
  EXPECT_EQ(write_json(field_of(all, "few")), write_json(field_of(some, "few")));
  std::stop_source stop;
  stop.request_stop();  // what has to be read now is an error
  EXPECT_EQ(write_json(*profile(path, {}, stop.get_token(), &cache)), write_json(all));
  EXPECT_EQ(write_json(*profile(path, {}, {}, nullptr)), write_json(all));
}

}  // namespace
}  // namespace lo::dataset
