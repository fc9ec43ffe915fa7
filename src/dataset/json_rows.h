// Rows of JSON gathered into the columns of a plan. One thread at a time.
#pragma once

#include <arrow/builder.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataset/json_columns.h"
#include "dataset/json_fields.h"
#include "dataset/json_tape.h"

namespace lo::dataset {

class JsonRows {
 public:
  // `plan` outlives it. Throws std::bad_alloc when memory ends, as all of its functions do.
  explicit JsonRows(const JsonPlan& plan);

  // Adds a row; gives what is wrong with it, after which no more are added.
  std::optional<std::string> add(JsonTokens object);

  // Whether that was a field, or a value, that the plan has no place for.
  bool misfit() const { return misfit_; }

  // The rows added; or the first value that is not of the type asked for.
  std::expected<std::shared_ptr<arrow::RecordBatch>, JsonFault> finish();

 private:
  struct Column;
  struct Members {
    std::vector<Column> columns;
    NameIndex names;
    std::uint64_t objects = 0;
  };
  struct Column {
    const JsonField* field;
    arrow::ArrayBuilder* builder;
    Members members = {};           // of an object; the items of a list, as one
    std::uint64_t last_object = 0;  // that had this member, counted from 1
  };

  static Column column_of(const JsonField& field, arrow::ArrayBuilder* builder);
  static void add_column(Members& members, const JsonField& field, arrow::ArrayBuilder* builder);
  void append(Column& column, JsonTokens value);
  void append_number(Column& column, const JsonToken& token);
  void append_members(Members& members, JsonTokens object);

  const JsonPlan& plan_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  Members row_;
  std::int64_t rows_ = 0;
  std::optional<std::string> wrong_;
  bool misfit_ = false;
};

}  // namespace lo::dataset
