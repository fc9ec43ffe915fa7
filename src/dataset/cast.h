// transform/dataType: a table with some fields in another type.
//
//   to number     text by C's rules ("12", "-1.5e3", "inf", "nan"); boolean gives 0 and 1
//   to integer    text of digits with a sign; a number must be integral and fit 64 bits
//   to boolean    "true" and "false" in any case, "1", "0"; a number must be 0 or 1
//   to timestamp  ISO 8601, with or without a zone (then UTC), microseconds; in UTC afterwards
//   to string     a number without fraction prints without one (3, not 3.0), as in 2021; null and NaN become ""
// Space around a text is ignored, and a text without anything else becomes null, in all but string.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>

#include "dataset/types.h"
#include "store/manifest.h"

namespace lo::dataset {

// {field: word} of a request's member `types` → Types. Code::unacceptable at "/types/<field>".
Result<Types> parse_types(const json::object& types);

// All keys of `types` are fields. Code::unacceptable at "/types/<field>", naming the nearest field.
Status check_types(const Types& types, std::span<const store::Field> fields);

// Writes `to`, which must not exist and is removed on error: `from` with the fields of `types` converted, all else as it
// was. Gives a draft for store::publish. Code::unacceptable naming field, row (from 1) and value for the first value of a
// field that does not convert; errors of check_types; Code::cancelled, Code::no_space, Code::corrupt. Blocks.
Result<store::Manifest> cast(const std::filesystem::path& from, const Types& types, const std::filesystem::path& to,
                             std::stop_token stop = {});

}  // namespace lo::dataset
