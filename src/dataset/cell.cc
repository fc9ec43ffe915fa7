#include "dataset/cell.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type_traits.h>
#include <arrow/util/base64.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>
#include <charconv>
#include <chrono>
#include <cmath>

namespace lo::dataset {
namespace {

constexpr double kInt64Edge = 9223372036854775808.0;  // 2^63

template <class Array>
const Array& as(const arrow::Array& column) {
  return static_cast<const Array&>(column);
}

bool is_integral(double value) { return std::trunc(value) == value && value >= -kInt64Edge && value < kInt64Edge; }

json::value number_json(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (is_integral(value)) return static_cast<std::int64_t>(value);
  return value;
}

std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

std::int64_t to_micros(std::int64_t value, arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND: return value * 1'000'000;
    case arrow::TimeUnit::MILLI: return value * 1'000;
    case arrow::TimeUnit::MICRO: return value;
    case arrow::TimeUnit::NANO: return floor_div(value, 1'000);
  }
  std::unreachable();
}

// The last `digits` digits of a number.
void write_digits(std::int64_t number, int digits, char* at) {
  for (int i = digits; i-- > 0; number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

std::string date_text(std::int64_t days) {
  std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  auto year = static_cast<int>(date.year());
  if (year < 0 || year > 9999) return fmt::format("{:04}-{:02}-{:02}", year, static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  std::string text = "0000-00-00";
  write_digits(year, 4, text.data());
  write_digits(static_cast<unsigned>(date.month()), 2, text.data() + 5);
  write_digits(static_cast<unsigned>(date.day()), 2, text.data() + 8);
  return text;
}

std::string time_of_day_text(std::int64_t micros_of_day) {
  auto seconds = micros_of_day / 1'000'000;
  std::string text = "00:00:00";
  write_digits(seconds / 3600, 2, text.data());
  write_digits(seconds / 60 % 60, 2, text.data() + 3);
  write_digits(seconds % 60, 2, text.data() + 6);
  if (auto micros = micros_of_day % 1'000'000; micros != 0) {
    text += ".000000";
    write_digits(micros, 6, text.data() + 9);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

std::string timestamp_text(const arrow::TimestampArray& column, std::int64_t row) {
  const auto& type = static_cast<const arrow::TimestampType&>(*column.type());
  return iso_time(to_micros(column.Value(row), type.unit()), !type.timezone().empty());
}

json::value list_json(const arrow::Array& values, std::int64_t from, std::int64_t size) {
  json::array list;
  for (std::int64_t i = from; i < from + size; ++i) list.push_back(cell_json(values, i));
  return list;
}

template <class List>
json::value list_json(const List& column, std::int64_t row) {
  return list_json(*column.values(), column.value_offset(row), column.value_length(row));
}

json::value struct_json(const arrow::StructArray& column, std::int64_t row) {
  json::object object;
  for (int i = 0; i < column.num_fields(); ++i)
    object[column.struct_type()->field(i)->name()] = cell_json(*column.field(i), row);
  return object;
}

json::value map_json(const arrow::MapArray& column, std::int64_t row) {
  json::object object;
  for (auto i = column.value_offset(row); i < column.value_offset(row + 1); ++i) {
    auto key = cell_json(*column.keys(), i);
    object[key.is_string() ? std::string(key.get_string()) : json::serialize(key)] = cell_json(*column.items(), i);
  }
  return object;
}

// Decimals and the rarer types, by Arrow's own text of them.
std::string scalar_text(const arrow::Array& column, std::int64_t row) {
  auto scalar = column.GetScalar(row);
  return scalar.ok() ? (*scalar)->ToString() : std::string();
}

json::value decimal_json(const arrow::Array& column, std::int64_t row) {
  auto text = scalar_text(column, row);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return number_json(value);
}

json::value text_json(std::string_view text) { return json::string(text); }
json::value bytes_json(std::string_view bytes) { return json::string(arrow::util::base64_encode(bytes)); }

json::value nested_json(const arrow::Array& column, std::int64_t row) {
  switch (column.type_id()) {
    case arrow::Type::LIST: return list_json(as<arrow::ListArray>(column), row);
    case arrow::Type::LARGE_LIST: return list_json(as<arrow::LargeListArray>(column), row);
    case arrow::Type::FIXED_SIZE_LIST: return list_json(as<arrow::FixedSizeListArray>(column), row);
    case arrow::Type::STRUCT: return struct_json(as<arrow::StructArray>(column), row);
    case arrow::Type::MAP: return map_json(as<arrow::MapArray>(column), row);
    case arrow::Type::EXTENSION: return cell_json(*as<arrow::ExtensionArray>(column).storage(), row);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = as<arrow::DictionaryArray>(column);
      return cell_json(*dictionary.dictionary(), dictionary.GetValueIndex(row));
    }
    default: return text_json(scalar_text(column, row));
  }
}

json::value scalar_json(const arrow::Array& column, std::int64_t row) {
  using Id = arrow::Type;
  switch (column.type_id()) {
    case Id::BOOL: return as<arrow::BooleanArray>(column).Value(row);
    case Id::INT8: return as<arrow::Int8Array>(column).Value(row);
    case Id::INT16: return as<arrow::Int16Array>(column).Value(row);
    case Id::INT32: return as<arrow::Int32Array>(column).Value(row);
    case Id::INT64: return as<arrow::Int64Array>(column).Value(row);
    case Id::UINT8: return as<arrow::UInt8Array>(column).Value(row);
    case Id::UINT16: return as<arrow::UInt16Array>(column).Value(row);
    case Id::UINT32: return as<arrow::UInt32Array>(column).Value(row);
    case Id::UINT64: return as<arrow::UInt64Array>(column).Value(row);
    case Id::HALF_FLOAT:
      return number_json(arrow::util::Float16::FromBits(as<arrow::HalfFloatArray>(column).Value(row)).ToDouble());
    case Id::FLOAT: return number_json(static_cast<double>(as<arrow::FloatArray>(column).Value(row)));
    case Id::DOUBLE: return number_json(as<arrow::DoubleArray>(column).Value(row));
    case Id::STRING: return text_json(as<arrow::StringArray>(column).GetView(row));
    case Id::LARGE_STRING: return text_json(as<arrow::LargeStringArray>(column).GetView(row));
    case Id::STRING_VIEW: return text_json(as<arrow::StringViewArray>(column).GetView(row));
    case Id::BINARY: return bytes_json(as<arrow::BinaryArray>(column).GetView(row));
    case Id::LARGE_BINARY: return bytes_json(as<arrow::LargeBinaryArray>(column).GetView(row));
    case Id::FIXED_SIZE_BINARY: return bytes_json(as<arrow::FixedSizeBinaryArray>(column).GetView(row));
    case Id::DATE32:
    case Id::DATE64:
    case Id::TIMESTAMP: return text_json(time_text(column, row));
    default: return arrow::is_decimal(column.type_id()) ? decimal_json(column, row) : nested_json(column, row);
  }
}

}  // namespace

json::value cell_json(const arrow::Array& column, std::int64_t row) {
  if (column.IsNull(row)) return nullptr;
  return scalar_json(column, row);
}

std::string time_text(const arrow::Array& column, std::int64_t row) {
  switch (column.type_id()) {
    case arrow::Type::DATE32: return date_text(as<arrow::Date32Array>(column).Value(row));
    case arrow::Type::DATE64: return date_text(floor_div(as<arrow::Date64Array>(column).Value(row), 86'400'000));
    default: return timestamp_text(as<arrow::TimestampArray>(column), row);
  }
}

json::object row_json(const arrow::RecordBatch& batch, std::int64_t row, std::int64_t id) {
  json::object document;
  document.reserve(static_cast<std::size_t>(batch.num_columns()) + 1);
  document.emplace("_id", id);
  for (int i = 0; i < batch.num_columns(); ++i)
    document.emplace(batch.column_name(i), cell_json(*batch.column(i), row));  // keeps the first of equal names
  return document;
}

std::string iso_time(std::int64_t micros, bool zoned) {
  constexpr std::int64_t kDay = 86'400'000'000;
  auto days = floor_div(micros, kDay);
  return date_text(days) + 'T' + time_of_day_text(micros - days * kDay) + (zoned ? "Z" : "");
}

std::string number_text(double value) {
  if (is_integral(value)) return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

}  // namespace lo::dataset
