// Which types a field's values allow, for `"types": "infer"`: all values are looked at, not a sample.
#pragma once

#include <bitset>
#include <string_view>

#include "dataset/types.h"

namespace lo::dataset {

// What the values seen so far allow. A number with a leading zero ("02139") is a text: converting it would lose something.
class TypeGuess {
 public:
  void add(std::string_view value);
  void add(const TypeGuess& other);  // of another part of the field

  // The narrowest: integer, number, boolean, timestamp, else string. A field without any value is a string.
  Type narrowest() const;

  // Whether more values can make no difference.
  bool is_settled() const { return types_.none(); }

 private:
  std::bitset<5> types_ = 0b11110;  // by Type; a string is always possible
  bool has_values_ = false;
};

}  // namespace lo::dataset
