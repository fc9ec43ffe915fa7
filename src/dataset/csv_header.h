// The names of a CSV file's fields.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "dataset/csv_options.h"

namespace lo::dataset {

// Header cells as field names: characters that are no letter, digit or '_' are removed, as in 2021; a name with nothing left
// is "column<N>", N from 1. Code::unacceptable naming both when two become equal, for "_id", which is the row number, for
// over options.max_columns, for bytes that are not UTF-8.
Result<std::vector<std::string>> field_names(const std::vector<std::string>& cells, const CsvOptions& options);

}  // namespace lo::dataset
