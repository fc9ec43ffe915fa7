// CSV → Parquet while it is read, with bounded memory: reading, parsing and encoding overlap (on Arrow's own CPU threads).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>

#include "dataset/csv_open.h"
#include "store/manifest.h"

namespace lo::dataset {

struct IngestProgress {
  std::int64_t bytes = 0;             // read so far, packed
  std::optional<std::int64_t> total;  // where known
  std::int64_t rows = 0;              // written so far
};

// Called on the ingesting thread about once per MB; whoever passes it on to people slows it down.
using Progress = std::function<void(const IngestProgress&)>;

// The bytes of the file from the start once more.
using OpenAgain = std::function<Result<Source>()>;

// Reads `csv` and writes `parquet_out`, a file that does not exist
// yet. Gives a draft for store::publish: kind table, the file as its one part, fields and rows. Every cell stays the text it
// was unless options.types or infer say otherwise; an empty cell is "". Empty lines are skipped. Rows are counted from 1
// without the header, as `_id` does. `again` is needed for types that are inferred alone, and called (twice) only where the types of the first MB
// do not hold to the end.
//
// Code::unacceptable, naming row, field and value, for: an empty file, a ragged row, two fields of one name, more columns
// than max_columns, a row over max_row_bytes, bytes that are not in the encoding, a quote that is never closed, a value that
// is not of the field's type, an unknown field in `types`, HTML. Code::cancelled within 100 ms of `stop`. Code::no_space
// when the disk is full. What the source gives is passed on. On any error `parquet_out` is removed.
//
// Blocks for as long as it takes: call it on the BlockingPool. Any number at once.
Result<store::Manifest> ingest_csv(CsvText csv, const std::filesystem::path& parquet_out, const Progress& progress = {}, std::stop_token stop = {},
                                   const OpenAgain& again = {});

}  // namespace lo::dataset
