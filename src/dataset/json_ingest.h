// NDJSON, or one array of objects, → Parquet while it is read, with bounded memory.
#pragma once

#include <filesystem>
#include <stop_token>

#include "dataset/ingest.h"
#include "dataset/json_open.h"

namespace lo::dataset {

// Reads `text` and writes `parquet_out`, which does not exist yet: a row for each object, a field for each name in the order in which they come first.
// Gives a draft for store::publish.
//
// A field that a row does not have is null. Types hold for all values: boolean; integer; number where some are no integers; string; a list; a struct.
// Nothing is converted unless options.types asks for it, by the rules of transform/dataType (cast.h); as a string a value stays as it is written,
// nested ones are JSON text. A field that is null everywhere is a string, as is one of empty objects. `again` is called (twice) where the types of
// the first MB do not hold to the end.
//
// Code::unacceptable, naming row, field and value, for: an empty file, a line that is no object, a name that comes twice in an object or is `_id`
// or "", values of several kinds, a number that its type would not hold exactly, a value that is not of the type asked for, an unknown field in
// `types`, more than 10,000 fields, a row over max_row_bytes, HTML. Code::cancelled, Code::no_space as of ingest_csv. On any error `parquet_out` is
// removed.
//
// Blocks for as long as it takes: call it on the BlockingPool. Any number at once.
Result<store::Manifest> ingest_json(JsonLinesText text, const std::filesystem::path& parquet_out, const Progress& progress, std::stop_token stop,
                                    const OpenAgain& again);

}  // namespace lo::dataset
