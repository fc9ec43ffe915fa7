// A CSV file ready to be parsed.
#pragma once

#include "dataset/csv_options.h"
#include "dataset/source.h"

namespace lo::dataset {

struct CsvText {
  Source text;         // unpacked, UTF-8
  CsvOptions options;  // with the encoding and the delimiter that were found where they were not given
};

// Unpacks and recodes `source`; what the options leave open is guessed from the first 64 kB. Code::unacceptable for an unknown encoding; what
// reading gives is passed on. Blocks.
Result<CsvText> open_csv(Source source, CsvOptions options);

}  // namespace lo::dataset
