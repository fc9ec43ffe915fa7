// A dict as Python prints it, for the 2021 client, which sends str(query).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace lo::dataset {

// The JSON text of a Python literal: strings in single or double quotes with Python's escapes, True, False and None; all
// else as it stands. Code::malformed for a string that is not closed or an escape that Python does not know.
Result<std::string> python_to_json(std::string_view literal);

}  // namespace lo::dataset
