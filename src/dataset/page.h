// Rows of a table as JSON documents, by row number.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace lo::dataset {

struct TableCache;

// The fields that documents show besides `_id`, in that order; none: all.
using ShownFields = std::vector<std::string>;

// At most `limit` documents {"_id": n, field: value, …} from row `skip` + 1 on; none after the end. Reads the pages of the file
// that hold them and no others, so that the first page and the last cost the same; and nothing that is in the cache. A null, NaN or infinite number is null; a
// number without fraction prints without one; a timestamp is ISO 8601; a list is an array; structs and maps are objects;
// bytes are base64. Code::unacceptable at "fields" for one that there is not, Code::corrupt, Code::io. Blocks.
Result<json::array> read_page(const std::filesystem::path& parquet, std::int64_t skip, std::int64_t limit, const ShownFields& fields = {}, TableCache* cache = nullptr);

}  // namespace lo::dataset
