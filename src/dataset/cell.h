// One cell of a table as JSON: what pages show, what queries compare with, what text conversion starts from.
#pragma once

#include <arrow/type_fwd.h>
#include <cstdint>
#include <string>

#include "base/json.h"

namespace lo::dataset {

// null, NaN and infinity → null · a float without fraction → an integer · text → text · timestamps and dates → ISO 8601 ·
// decimals → number · lists → array · structs and maps with text keys → object · bytes → base64 · dictionaries → what they
// stand for.
json::value cell_json(const arrow::Array& column, std::int64_t row);

// Of a timestamp or date that is not null, the text that cell_json has.
std::string time_text(const arrow::Array& column, std::int64_t row);

// {"_id": id, field: value, …} of row `row` of the batch. A column named "_id" is not shown: the row number has that name.
json::object row_json(const arrow::RecordBatch& batch, std::int64_t row, std::int64_t id);

// "2026-01-31T10:20:30.5Z": microseconds since 1970 in UTC; without "Z" where the type has no zone.
std::string iso_time(std::int64_t micros, bool zoned);

// A number as Python prints it, without fraction when it has none: "3", "0.1", "1e-07".
std::string number_text(double value);

}  // namespace lo::dataset
