// Lines of JSON into record batches. Pure: any number of threads.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dataset/json_fields.h"
#include "dataset/json_shape.h"

namespace lo::dataset {

// What is wrong with a row: `row` and `line` count from 0, in the text. The line is given where it is no JSON.
struct JsonFault {
  std::int64_t row = 0;
  std::optional<std::int64_t> line = {};
  std::string detail;
};

// What all rows of a text are kept in. Constant.
struct JsonPlan {
  std::vector<JsonField> fields;
  std::shared_ptr<arrow::Schema> schema;  // of the fields
};

struct JsonConverted {
  std::shared_ptr<arrow::RecordBatch> batch;  // null unless all is well
  std::optional<JsonFault> fault;
  std::optional<Error> error;
  bool misfit = false;  // a field or a value that the plan has no place for
};

// The rows of whole lines. Lines of white space alone are none.
JsonConverted convert_lines(std::string_view lines, const JsonPlan& plan);

struct JsonExamined {
  JsonShape shape;
  std::int64_t rows = 0;
  std::optional<JsonFault> fault;
  std::optional<Error> error;
};

// What the values of the same lines are; of the fields that are asked for nothing but that they are there.
JsonExamined examine_lines(std::string_view lines, const Types& asked);

}  // namespace lo::dataset
