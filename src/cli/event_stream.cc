#include "cli/event_stream.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/api_client.h"

namespace lo::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kBetweenOpens{500};
constexpr std::chrono::seconds kSilence{45};  // the server comments every 15 s

}  // namespace

void EventStream::open() {
  reader_ = std::make_unique<SseReader>();
  announced_ = false;
  opened_at_ = Clock::now();
  HttpRequest request{.path = path_, .headers = {"Accept: text/event-stream"}, .silence = kSilence};
  if (!last_id_.empty()) request.headers.push_back("Last-Event-ID: " + last_id_);
  request.sink = [this](std::string_view piece) { std::ranges::move(reader_->feed(piece), std::back_inserter(events_)); };
  transfer_ = http_.start(std::move(request));
}

StreamNews EventStream::take_news() {
  StreamNews news;
  news.events = std::exchange(events_, {});
  news.opened = transfer_->answers() && !std::exchange(announced_, true);
  if (!news.events.empty() && !news.events.back().id.empty()) last_id_ = news.events.back().id;
  const auto* end = transfer_->ended();
  news.refused = end != nullptr && end->has_value() && !(*end)->ok();
  return news;
}

Result<StreamNews> EventStream::next(std::chrono::milliseconds timeout) {
  if (transfer_ && transfer_->ended() != nullptr) {
    auto rest = std::chrono::ceil<std::chrono::milliseconds>(opened_at_ + kBetweenOpens - Clock::now());
    if (rest.count() > 0)
      timeout = std::min(timeout, rest);
    else
      transfer_.reset();
  }
  if (!transfer_) open();
  bool has_news = !events_.empty() || (transfer_->answers() && !announced_);
  if (!has_news) LO_TRY(http_.wait(timeout));
  return take_news();
}

}  // namespace lo::cli
