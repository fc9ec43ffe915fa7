// Which types a field's values allow, for `"types": "infer"`: all values are looked at, not a sample.
#pragma once

#include <arrow/type_fwd.h>
#include <bitset>

#include "dataset/types.h"

namespace lo::dataset {

using TypeSet = std::bitset<6>;  // by Type; bit kAnyValue: some value is not empty
inline constexpr std::size_t kAnyValue = 5;

// The types that all texts are of. A number with a leading zero ("02139") is a text: converting it would lose something.
TypeSet possible_types(const arrow::StringArray& texts);

// Of two parts of a field: what both allow.
TypeSet merge(TypeSet a, TypeSet b);

// The narrowest: integer, number, boolean, timestamp, else string. A field without any value is a string.
Type narrowest(TypeSet types);

}  // namespace lo::dataset
