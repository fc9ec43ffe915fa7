// Blocks of CSV cells into record batches. Pure: any number of threads.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "dataset/csv_blocks.h"
#include "dataset/infer.h"
#include "dataset/types.h"

namespace lo::dataset {

// How the rows of one file are read. Constant once the header is known.
struct CsvPlan {
  std::vector<std::string> names;
  std::vector<Type> types;                // of each field
  std::vector<bool> guessed;              // which of them may turn out to be wrong
  std::shared_ptr<arrow::Schema> schema;  // of names and types
};

struct ConvertedBlock {
  std::shared_ptr<arrow::RecordBatch> batch;  // null unless all is well
  std::optional<RowFault> fault;
  std::optional<Error> error;
  bool misfit = false;  // a value is not of the guessed type of its field
};

// A value of a guessed type must say all that its text does: "007" is no number then.
ConvertedBlock convert_block(const CsvBlock& block, const CsvPlan& plan);

// What the values of each of the plan's guessed fields allow; of the others nothing.
std::vector<TypeGuess> guess_types(const CsvBlock& block, const CsvPlan& plan);

}  // namespace lo::dataset
