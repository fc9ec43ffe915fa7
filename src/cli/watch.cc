#include "cli/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/event_stream.h"

namespace lo::cli {
namespace {

using Clock = std::chrono::steady_clock;

using Names = std::set<std::string, std::less<>>;

class Watch {
 public:
  Watch(ApiClient& api, Patience& patience, Screen& screen, Progress& progress, WatchTimes times)
      : api_(api),
        patience_(patience),
        screen_(screen),
        progress_(progress),
        times_(times),
        stream_(api.http(), fmt::format("{}/observe/stream", kPrefix)) {}

  Status run() {
    LO_TRY(ask_for(all_unfinished()));
    while (!progress_.unfinished().empty()) {
      screen_.draw(progress_.live_lines(screen_.terminal()));
      LO_ASSIGN(auto news, stream_.next(times_.tick));
      LO_TRY(ask_for(touched_by(news)));
    }
    screen_.clear();
    return {};
  }

 private:
  // The unfinished steps that may not be any more what they were.
  Names touched_by(const StreamNews& news) {
    bool missed = news.opened || std::ranges::any_of(news.events, [](const auto& event) { return event.event == "reset"; });
    auto trust = stream_.ended() == nullptr ? times_.trust : times_.trust_without_stream;
    if (missed || Clock::now() - all_asked_ >= trust) return all_unfinished();
    auto unfinished = progress_.unfinished();
    Names touched;
    for (const auto& event : news.events)
      if (auto name = name_of(event); std::ranges::find(unfinished, name) != unfinished.end()) touched.insert(name);
    return touched;
  }

  Names all_unfinished() {
    all_asked_ = Clock::now();
    auto names = progress_.unfinished();
    return {names.begin(), names.end()};
  }

  std::string name_of(const SseEvent& event) {
    auto data = parse_json_object(event.data);
    if (!data) return "";
    auto name = string_or(*data, "name");
    if (const auto* progress = data->if_contains("progress"); progress != nullptr && progress->is_object())
      progress_.note(name, progress->get_object());
    return name;
  }

  Status ask_for(const Names& names) {
    for (const auto& name : names) {
      LO_ASSIGN(auto view, patience_.ask([&] { return api_.step(name); }));
      if (auto line = progress_.update(view)) screen_.tell_change(*line);
    }
    return {};
  }

  ApiClient& api_;
  Patience& patience_;
  Screen& screen_;
  Progress& progress_;
  WatchTimes times_;
  EventStream stream_;
  Clock::time_point all_asked_ = Clock::now();
};

}  // namespace

Status watch(ApiClient& api, Patience& patience, Screen& screen, Progress& progress, WatchTimes times) {
  return Watch(api, patience, screen, progress, times).run();
}

}  // namespace lo::cli
