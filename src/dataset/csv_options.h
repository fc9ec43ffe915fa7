// How a CSV file is to be read: the optional members of a dataset/csv request.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "dataset/types.h"

namespace lo::dataset {

struct CsvOptions {
  bool infer = false;    // types are found from all values of a field; `types` wins where it names one
  Types types = {};      // fields that are not named stay strings
  char delimiter = '\0';      // one ASCII character; 0: it is guessed
  std::string encoding = "";  // empty: it is guessed
  std::vector<std::string> headers = {};  // of a file without a header line; empty: the first line is the header

  std::size_t max_columns = 10'000;
  std::size_t max_row_bytes = std::size_t{64} << 20;  // also the most one field can have
};

// Reads the members types, delimiter, encoding and headers of a request; others are left alone. Code::unacceptable with the
// member's pointer for a wrong one.
Result<CsvOptions> parse_csv_options(const json::object& request);

}  // namespace lo::dataset
