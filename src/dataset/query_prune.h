// Which groups of rows a query need not look into. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "dataset/query_tree.h"
#include "dataset/table_source.h"

namespace lo::dataset {

// Of a field of the group by its name; nothing when nothing is known of its values.
using BoundsOf = std::function<std::optional<Bounds>(std::string_view field)>;

// False only when no row whose fields are within the bounds, or null, can match.
bool may_match(const Condition& condition, const BoundsOf& bounds_of);

}  // namespace lo::dataset
