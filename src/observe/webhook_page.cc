#include "observe/webhook_page.h"

#include <algorithm>

namespace lo::observe {

Result<EventPage> read_page(catalog::Catalog& catalog, std::int64_t seq, const std::string& name, int limit) {
  catalog::EventFilter filter;
  filter.name = name;
  LO_ASSIGN(auto last, catalog.last_event());
  LO_ASSIGN(auto events, catalog.events_after(seq, filter, limit));
  LO_ASSIGN(auto first, catalog.first_event());  // last: what was trimmed meanwhile is not overlooked
  if (first > seq + 1) return EventPage{.seen = first - 1, .lost = true};
  if (seq > last) return EventPage{.seen = last, .lost = true};  // of a catalog that was put back
  auto newest = events.empty() ? seq : events.back().seq;
  bool is_whole = std::ssize(events) < limit;
  return EventPage{.events = std::move(events), .seen = is_whole ? std::max(last, newest) : newest};
}

}  // namespace lo::observe
