// The texts of cells are, byte by byte, those that the slow and plain ways give: Arrow's CSV writer, and JSON values that are written.
#include "dataset/cell_texts.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/csv/writer.h>
#include <arrow/io/memory.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include "dataset/cell.h"
#include "dataset/row_encoder.h"

namespace lo::dataset {
namespace {

using Column = std::shared_ptr<arrow::Array>;

template <class Builder, class Make>
Column column_of(std::int64_t rows, std::mt19937_64& random, Make make, std::unique_ptr<Builder> builder = std::make_unique<Builder>()) {
  for (std::int64_t i = 0; i < rows; ++i) {
    auto status = random() % 8 == 0 ? builder->AppendNull() : builder->Append(make());
    EXPECT_TRUE(status.ok());
  }
  return builder->Finish().ValueOrDie();
}

double any_double(std::mt19937_64& random) {
  auto digits = static_cast<double>(static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000);
  auto power = std::pow(10.0, static_cast<double>(random() % 50) - 25);
  switch (random() % 6) {
    case 0: return digits;
    case 1: return digits / 100;
    case 2: return std::bit_cast<double>(random());
    case 3: return std::nextafter(power, random() % 2 == 0 ? 0.0 : 1e300);
    case 4: return -power;
    default: return digits * power;
  }
}

std::string any_text(std::mt19937_64& random, bool is_utf8) {
  static constexpr std::array<std::string_view, 12> kPieces{"a", "word ", "\"", "\\", "\n", "\t\r\b\f", "ä", "😀", ",", std::string_view("\0\x1f\x7f", 3), "", "€"};
  std::string text;
  for (auto left = random() % 6; left > 0; --left) text += kPieces[random() % kPieces.size()];
  if (!is_utf8 && random() % 2 == 0) text += static_cast<char>(random());
  return text;
}

// Random columns of every type that a table can have.
class Columns {
 public:
  explicit Columns(std::mt19937_64& random) : random_(random) {}

  arrow::ArrayVector all(std::int64_t rows) {
    rows_ = rows;
    arrow::ArrayVector columns{std::make_shared<arrow::NullArray>(rows), column_of<arrow::BooleanBuilder>(rows, random_, [&] { return random_() % 2 == 0; })};
    numbers(columns);
    times(columns);
    texts(columns);
    nested(columns);
    return columns;
  }

 private:
  // Whole numbers below `most`, of both signs.
  Column whole(std::int64_t most, const std::shared_ptr<arrow::DataType>& type) {
    auto numbers = column_of<arrow::Int64Builder>(rows_, random_, [&] { return static_cast<std::int64_t>(random_()) % most; });
    return cast(numbers, type);
  }
  static Column cast(const Column& column, const std::shared_ptr<arrow::DataType>& type) {
    auto options = arrow::compute::CastOptions::Unsafe(type);
    return arrow::compute::Cast(*column, type, options).ValueOrDie();
  }

  void numbers(arrow::ArrayVector& columns) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    for (const auto& type : {arrow::int8(), arrow::int16(), arrow::int32(), arrow::int64(), arrow::uint8(), arrow::uint16(), arrow::uint32(), arrow::uint64()})
      columns.push_back(whole(kMost, type));
    columns.push_back(column_of<arrow::DoubleBuilder>(rows_, random_, [&] { return any_double(random_); }));
    columns.push_back(cast(columns.back(), arrow::float32()));
    columns.push_back(cast(columns.back(), arrow::float16()));
    columns.push_back(cast(whole(100'000, arrow::int64()), arrow::decimal128(25, 3)));
    columns.push_back(cast(whole(100'000, arrow::int64()), arrow::decimal256(50, 7)));
  }

  void times(arrow::ArrayVector& columns) {
    constexpr std::int64_t kDay = 86'400;
    columns.push_back(cast(whole(1'000'000, arrow::int32()), arrow::date32()));
    columns.push_back(cast(columns.back(), arrow::date64()));
    columns.push_back(cast(cast(columns[3], arrow::uint16()), arrow::int32())->View(arrow::time32(arrow::TimeUnit::SECOND)).ValueOrDie());
    columns.push_back(whole(kDay * 300'000, arrow::timestamp(arrow::TimeUnit::SECOND)));
    columns.push_back(whole(kDay * 300'000'000, arrow::timestamp(arrow::TimeUnit::MILLI)));
    columns.push_back(whole(kDay * 300'000'000'000, arrow::timestamp(arrow::TimeUnit::MICRO)));
    columns.push_back(whole(kDay * 30'000'000'000'000, arrow::timestamp(arrow::TimeUnit::NANO)));
    columns.push_back(whole(kDay * 30'000'000'000, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
    columns.push_back(whole(1'000'000'000, arrow::duration(arrow::TimeUnit::MILLI)));
  }

  Column texts_as(bool is_utf8, const std::shared_ptr<arrow::DataType>& type) {
    return cast(column_of<arrow::StringBuilder>(rows_, random_, [&] { return any_text(random_, is_utf8); }), type);
  }
  void texts(arrow::ArrayVector& columns) {
    for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(), arrow::binary(), arrow::large_binary()}) columns.push_back(texts_as(true, type));
    columns.push_back(texts_as(false, arrow::utf8()));
    columns.push_back(column_of<arrow::FixedSizeBinaryBuilder>(rows_, random_, [] { return "a\"b"; }, std::make_unique<arrow::FixedSizeBinaryBuilder>(arrow::fixed_size_binary(3))));
    columns.push_back(dictionary(arrow::int8(), texts_as(true, arrow::utf8())));
    columns.push_back(dictionary(arrow::int32(), whole(1000, arrow::int64())));
    columns.push_back(dictionary(arrow::int16(), column_of<arrow::DoubleBuilder>(rows_, random_, [&] { return any_double(random_); })));
  }

  // Its values, with nulls among them, named by random numbers, some of them null.
  Column dictionary(const std::shared_ptr<arrow::DataType>& index, const Column& values) {
    auto known = values->Slice(0, std::min<std::int64_t>(values->length(), 100));
    auto positive = column_of<arrow::Int64Builder>(rows_, random_, [&] { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(known->length())); });
    return arrow::DictionaryArray::FromArrays(arrow::dictionary(index, values->type()), cast(positive, index), known).ValueOrDie();
  }

  void nested(arrow::ArrayVector& columns) {
    auto values = std::make_shared<arrow::StringBuilder>();
    arrow::ListBuilder lists(arrow::default_memory_pool(), values);
    for (std::int64_t i = 0; i < rows_; ++i) {
      if (random_() % 8 == 0) {
        EXPECT_TRUE(lists.AppendNull().ok());
        continue;
      }
      EXPECT_TRUE(lists.Append().ok());
      for (auto left = random_() % 3; left > 0; --left) EXPECT_TRUE(values->Append(any_text(random_, false)).ok());
    }
    columns.push_back(lists.Finish().ValueOrDie());
    columns.push_back(arrow::StructArray::Make({columns[1], columns[9], columns.back()}, std::vector<std::string>{"a\"", "b", "c"}).ValueOrDie());
  }

  std::mt19937_64& random_;
  std::int64_t rows_ = 0;
};

std::shared_ptr<arrow::RecordBatch> batch_of(const arrow::ArrayVector& columns) {
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(arrow::field(fmt::format("{} \"{}\"\xff", fields.size(), column->type()->ToString()), column->type()));
  auto rows = columns.empty() ? 3 : columns.front()->length();
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, columns);
}

std::string plain_csv(const arrow::RecordBatch& batch) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (int i = 0; i < batch.num_columns(); ++i) {
    auto column = batch.column(i);
    if (arrow::is_nested(column->type_id())) {
      arrow::StringBuilder texts;
      for (std::int64_t row = 0; row < column->length(); ++row)
        EXPECT_TRUE((column->IsNull(row) ? texts.AppendNull() : texts.Append(write_json(cell_json(*column, row)))).ok());
      column = texts.Finish().ValueOrDie();
    }
    if (column->type_id() == arrow::Type::STRING_VIEW) column = arrow::compute::Cast(*column, arrow::utf8()).ValueOrDie();  // has no place in it either
    fields.push_back(arrow::field(batch.column_name(i), column->type()));
    columns.push_back(column);
  }
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto flat = arrow::RecordBatch::Make(arrow::schema(fields), batch.num_rows(), columns);
  auto status = arrow::csv::WriteCSV(*flat, arrow::csv::WriteOptions::Defaults(), sink.get());
  EXPECT_TRUE(status.ok()) << status.ToString();
  return sink->Finish().ValueOrDie()->ToString();
}

std::vector<std::int64_t> ids_of(const arrow::RecordBatch& batch) {
  std::vector<std::int64_t> ids(static_cast<std::size_t>(batch.num_rows()));
  std::iota(ids.begin(), ids.end(), 7);
  return ids;
}

std::string plain_ndjson(const arrow::RecordBatch& batch) {
  std::string out;
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) out += write_json(row_json(batch, row, 7 + row)) + '\n';
  return out;
}

std::string encoded(RowFormat format, const arrow::RecordBatch& batch) {
  auto encoder = make_encoder(format, batch.schema()).value();
  auto out = encoder->begin().value();
  out += encoder->encode(batch, ids_of(batch)).value();
  return out + encoder->finish().value();
}

void expect_plain(const std::shared_ptr<arrow::RecordBatch>& batch) {
  EXPECT_EQ(encoded(RowFormat::csv, *batch), plain_csv(*batch));
  EXPECT_EQ(encoded(RowFormat::ndjson, *batch), plain_ndjson(*batch));
}

// One column at a time, so that a difference is small, and in slices, which have an offset.
TEST(CellTexts, AreThoseOfThePlainWays) {
  std::mt19937_64 random(33);
  for (int round = 0; round < 8; ++round) {
    auto columns = Columns(random).all(200);
    ASSERT_GT(columns.size(), 30);
    for (const auto& column : columns) {
      SCOPED_TRACE(column->type()->ToString());
      expect_plain(batch_of({column}));
      expect_plain(batch_of({column})->Slice(static_cast<std::int64_t>(random() % 200), 50));
    }
    expect_plain(batch_of(columns)->Slice(100, 20));
    if (::testing::Test::HasFailure()) break;
  }
}

TEST(CellTexts, NoColumnsAndNoRows) {
  std::mt19937_64 random(33);
  expect_plain(batch_of({}));
  expect_plain(batch_of({})->Slice(0, 0));
  expect_plain(batch_of(Columns(random).all(1))->Slice(0, 0));
}

TEST(CellTexts, OfEqualNamesTheFirstAndNoId) {
  auto column = [](std::int64_t value) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.Append(value).ok());
    return builder.Finish().ValueOrDie();
  };
  auto field = [](const char* name) { return arrow::field(name, arrow::int64()); };
  auto batch = arrow::RecordBatch::Make(arrow::schema({field("a"), field("_id"), field("a"), field("b")}), 1, {column(1), column(2), column(3), column(4)});
  EXPECT_EQ(encoded(RowFormat::ndjson, *batch), "{\"_id\":7,\"a\":1,\"b\":4}\n");
  expect_plain(batch);
}

TEST(CellTexts, BytesThatAreNoTextAreAnError) {
  arrow::BinaryBuilder builder;
  ASSERT_TRUE(builder.Append("a\xff").ok());
  EXPECT_FALSE(csv_texts(builder.Finish().ValueOrDie()));
}

// time_text is behind both ways of JSON: held to a plain format of its own.
TEST(CellTexts, Times) {
  std::mt19937_64 random(33);
  for (int i = 0; i < 10'000; ++i) {
    auto micros = static_cast<std::int64_t>(random() % 400'000'000'000'000'000) - 150'000'000'000'000'000;
    if (i % 3 == 0) micros = micros / 1'000'000 * 1'000'000;
    using namespace std::chrono;
    sys_time<microseconds> time{microseconds{micros}};
    auto day = floor<days>(time);
    year_month_day date{day};
    hh_mm_ss clock{time - day};
    auto expected = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                                clock.minutes().count(), clock.seconds().count());
    if (auto rest = clock.subseconds().count(); rest != 0) {
      expected += fmt::format(".{:06}", rest);
      expected.erase(expected.find_last_not_of('0') + 1);
    }
    ASSERT_EQ(iso_time(micros, true), expected + "Z");
  }
}

}  // namespace
}  // namespace lo::dataset
