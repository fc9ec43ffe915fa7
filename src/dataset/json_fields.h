// How the fields of a JSON file are kept in a table.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataset/types.h"

namespace lo::dataset {

enum class JsonColumnKind : std::uint8_t {
  boolean,
  integer,
  number,
  text,          // also of a field that is null everywhere
  list,
  object,
  empty_object,  // as the text "{}": a Parquet file has no struct without fields
  asked,         // of the type that the request names
};

struct JsonField {
  std::string name = {};
  JsonColumnKind kind = JsonColumnKind::text;
  Type asked = Type::string;
  std::vector<JsonField> parts = {};  // the fields of an object; the items of a list, which are one
};

// The type that a field has in the table.
std::shared_ptr<arrow::DataType> arrow_type(const JsonField& field);
std::shared_ptr<arrow::Schema> schema_of(const std::vector<JsonField>& fields);

// The same while values are gathered: fields whose type is asked for are texts as yet.
std::shared_ptr<arrow::DataType> gathered_type(const JsonField& field);

// How many columns hold values.
std::size_t leaves(const std::vector<JsonField>& fields);

// Which of some names one is. Most objects of a file have the same names in the same order.
class NameIndex {
 public:
  NameIndex() = default;
  NameIndex(NameIndex&&) = default;
  NameIndex& operator=(NameIndex&&) = default;

  // The number of the name, from 0 in the order of add().
  std::optional<std::size_t> find(std::string_view name) const {
    if (expected_ < names_.size() && *names_[expected_] == name) return expected_++;
    auto found = by_name_.find(name);
    if (found == by_name_.end()) return std::nullopt;
    expected_ = found->second + 1;
    return found->second;
  }
  // One that find() does not know.
  std::size_t add(std::string_view name) {
    auto added = by_name_.emplace(name, names_.size()).first;
    names_.push_back(&added->first);
    return expected_++, names_.size() - 1;
  }
  void begin_object() { expected_ = 0; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_name_;
  std::vector<const std::string*> names_;  // in by_name_
  mutable std::size_t expected_ = 0;
};

}  // namespace lo::dataset
