// Fields that a request names.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/manifest.h"

namespace lo::dataset {

// Code::unacceptable at `pointer`, naming the nearest field, when `name` is none of `fields`.
Status check_field(std::string_view name, std::span<const store::Field> fields, std::string pointer);

// The JSON pointer of the member `name` below `base`: "/types" and "a/b" give "/types/a~1b" (RFC 6901).
std::string member_pointer(std::string_view base, std::string_view name);

}  // namespace lo::dataset
