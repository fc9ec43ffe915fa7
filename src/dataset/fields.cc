#include "dataset/fields.h"

#include <fmt/format.h>
#include <algorithm>
#include <vector>

#include "base/id.h"
#include "dataset/shown.h"

namespace lo::dataset {

Status check_field(std::string_view name, std::span<const store::Field> fields, std::string pointer) {
  if (std::ranges::find(fields, name, &store::Field::name) != fields.end()) return {};
  std::vector<std::string_view> names;
  for (const auto& field : fields) names.push_back(field.name);
  auto near = nearest(name, names);
  auto hint = near.empty() ? std::string() : fmt::format(": did you mean '{}'?", near);
  return fail_field(Code::unacceptable, std::move(pointer), fmt::format("there is no field {}{}", shown(name), hint));
}

std::string member_pointer(std::string_view base, std::string_view name) {
  std::string pointer = std::string(base) + "/";
  for (char c : name) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
  return pointer;
}

}  // namespace lo::dataset
