// Blocks of CSV rows into record batches. Pure: any number of threads.
#pragma once

#include <arrow/csv/options.h>
#include <arrow/type_fwd.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataset/csv_blocks.h"
#include "dataset/csv_options.h"
#include "dataset/infer.h"

namespace lo::dataset {

// How the rows of one file are parsed. Constant once the header is known.
struct CsvPlan {
  arrow::csv::ParseOptions parse;
  std::vector<std::string> names;
  std::vector<Type> types;                // of each field
  std::shared_ptr<arrow::Schema> schema;  // of names and types
  std::size_t max_row_bytes = 0;
  bool infer = false;
};

arrow::csv::ParseOptions parse_options(char delimiter);

// The first row of a block (its header), and how many bytes it took; nothing when the block has empty lines alone.
struct FirstRow {
  std::vector<std::string> cells;
  std::size_t bytes = 0;
};
Result<std::optional<FirstRow>> first_row(const CsvBlock& block, const arrow::csv::ParseOptions& options);

// What is wrong with a row of a block. `row` counts from 0 in the block.
struct RowFault {
  std::int64_t row = 0;
  std::string detail;
};

struct ParsedBlock {
  std::shared_ptr<arrow::RecordBatch> batch;  // null when there is a fault or error
  std::optional<RowFault> fault;
  std::optional<Error> error;
  std::vector<TypeSet> guesses;  // per field, when types are inferred
};
ParsedBlock parse_block(const CsvBlock& block, const CsvPlan& plan);

}  // namespace lo::dataset
