// A value as an error message shows it.
#pragma once

#include <string>
#include <string_view>

namespace lo::dataset {

// In single quotes, at most 60 bytes and then "…", bytes that are not UTF-8 and control characters as \xHH.
std::string shown(std::string_view value);

}  // namespace lo::dataset
