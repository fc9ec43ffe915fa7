// The rows of a whole table, or those that match a query, as a text or an Arrow stream that is made while it is read.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "dataset/page.h"
#include "dataset/query.h"

namespace lo::dataset {

// ndjson: a document a line, as pages show them, `_id` too. csv: the names first; texts are quoted, null is an empty cell, lists and structures are
// JSON. arrow: the IPC stream format. The last two have the fields alone.
enum class RowFormat { ndjson, csv, arrow };

// "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream".
std::string_view media_type(RowFormat format);
std::optional<RowFormat> row_format(std::string_view media_type);

// Threads: one at a time; next() blocks.
class RowStream {
 public:
  virtual ~RowStream() = default;  // does not wait; what is being made for the next calls ends within some thousand rows

  // The next bytes, some MB at most; none where the rows that were looked at do not match; nothing at the end. Between the calls a few groups of rows are
  // made ahead on Arrow's CPU threads. Code::corrupt, Code::io.
  virtual Result<std::optional<std::string>> next() = 0;
};

// The file is open when this returns; it may be removed then. Code::unacceptable at "fields" for one that there is not; Code::corrupt, Code::io.
Result<std::unique_ptr<RowStream>> stream_rows(const std::filesystem::path& table, Query query, const ShownFields& fields, RowFormat format);

}  // namespace lo::dataset
