// The events that a webhook has not seen yet, read from the catalog.
#pragma once

#include <vector>

#include "catalog/catalog.h"

namespace lo::observe {

struct EventPage {
  std::vector<catalog::Event> events = {};
  std::int64_t seen = 0;  // ask for what comes after this next time
  bool lost = false;      // events up to `seen` are no longer kept; there is nothing else in the page then
};

// At most `limit` events after `seq`, of `name` unless that is empty. Blocks.
Result<EventPage> read_page(catalog::Catalog& catalog, std::int64_t seq, const std::string& name, int limit);

}  // namespace lo::observe
