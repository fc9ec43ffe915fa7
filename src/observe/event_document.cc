#include "observe/event_document.h"

namespace lo::observe {

json::object event_document(const catalog::Event& event) {
  auto document = event.data;
  document["event"] = event.type;
  document["id"] = event.seq;
  document["time"] = format_time(event.at);
  return document;
}

json::object reset_document() { return {{"reason", "events before this one are no longer kept"}}; }

}  // namespace lo::observe
