#include "observe/hub.h"

#include <algorithm>

#include "observe/event_document.h"

namespace lo::observe {

const std::string& Told::document() const {
  std::call_once(made_, [this] { document_ = write_json(event_document(event)); });
  return document_;
}

Hub::Hub(std::size_t keep, std::int64_t last) : keep_(keep), bell_(last), first_known_(last) {}

void Hub::publish(std::span<const catalog::Event> events) {
  if (events.empty()) return;
  {
    MutexLock lock(mutex_);
    if (auto before = events.front().seq - 1; before > bell_.value()) {  // of another server, and gone before this one heard of them
      recent_.clear();
      first_known_ = before;
    }
    for (const auto& event : events) recent_.push_back(std::make_shared<const Told>(event));
    while (recent_.size() > keep_) {
      first_known_ = recent_.front()->event.seq;
      recent_.pop_front();
    }
  }
  bell_.advance_to(events.back().seq);
}

std::optional<News> Hub::after(std::int64_t seq, const catalog::EventFilter& filter, std::size_t limit) const {
  MutexLock lock(mutex_);
  if (seq < first_known_) return std::nullopt;
  News news{.events = {}, .seen = recent_.empty() ? seq : std::max(seq, recent_.back()->event.seq)};
  for (auto at = std::ranges::upper_bound(recent_, seq, {}, [](const auto& told) { return told->event.seq; }); at != recent_.end(); ++at) {
    if (!filter.matches((*at)->event)) continue;
    if (news.events.size() == limit) {
      news.seen = news.events.back()->event.seq;
      break;
    }
    news.events.push_back(*at);
  }
  return news;
}

}  // namespace lo::observe
