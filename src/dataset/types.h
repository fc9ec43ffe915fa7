// The types a field can be given, and the words for all types a Parquet file can hold.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace arrow {
class DataType;
}

namespace lo::dataset {

enum class Type { string, number, integer, boolean, timestamp };

using Types = std::map<std::string, Type>;  // by field

std::string_view to_string(Type type);

// "number" → Type::number. Code::unacceptable at `pointer`, naming the word and the nearest type.
Result<Type> parse_type(std::string_view word, std::string_view pointer);

// How a type is stored: utf8, float64, int64, boolean, timestamp of microseconds in UTC.
std::shared_ptr<arrow::DataType> arrow_type(Type type);

// The word of store::Field for any Arrow type: one of the five above, "list" or "other".
std::string_view type_word(const arrow::DataType& type);

}  // namespace lo::dataset
