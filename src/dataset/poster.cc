#include "dataset/poster.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace lo::dataset {
namespace {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList header_list(const std::vector<std::pair<std::string, std::string>>& headers) {
  HeaderList list;
  for (const auto& [name, value] : headers) {
    auto* longer = curl_slist_append(list.get(), fmt::format("{}: {}", name, value).c_str());
    if (longer == nullptr) break;
    std::ignore = list.release();
    list.reset(longer);
  }
  return list;
}

CurlMulti make_multi() { return CurlMulti(start_curl() ? curl_multi_init() : nullptr); }

}  // namespace

class Poster::Request {
 public:
  Request(Post post, const PosterOptions& options, Callback<Result<PostAnswer>> done)
      : post_(std::move(post)),
        options_(options),
        done_(std::move(done)),
        guard_(options.policy),
        headers_(header_list(post_.headers)),
        easy_(curl_easy_init()) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  CURL* easy() const { return easy_.get(); }

  Status prepare() {
    LO_TRY(check_url(post_.url, "/url", options_.policy));
    if (!easy_) return fail(Code::internal, "libcurl could not start");
    restrict_to_web(easy_.get());
    guard_.watch(easy_.get());
    set(CURLOPT_URL, post_.url.c_str());
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, post_.body.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post_.body.size()));
    set(CURLOPT_WRITEFUNCTION, &Request::on_bytes);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    return {};
  }

  void answer(Result<PostAnswer> answer) { done_(std::move(answer)); }

  Result<PostAnswer> ended(CURLcode code) const {
    if (code == CURLE_OK || is_cut()) return seen();
    if (guard_.refused()) return fail(Code::forbidden, fmt::format("{} is refused: {}", post_.url, guard_.refused()->message));
    if (code == CURLE_OPERATION_TIMEDOUT)
      return fail(Code::timeout, fmt::format("{} did not answer within {} s", post_.url,
                                             std::chrono::duration<double>(options_.timeout).count()));
    return fail(Code::io, fmt::format("{} cannot be reached: {}", post_.url, curl_easy_strerror(code)));
  }

  Error cancelled() const {
    return {.code = Code::cancelled, .message = fmt::format("the call of {} was cancelled", post_.url)};
  }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  static std::size_t on_bytes(char*, std::size_t, std::size_t size, void* self) {
    auto& request = *static_cast<Request*>(self);
    request.received_ += size;
    return request.is_cut() ? 0 : size;  // 0 ends the transfer
  }

  bool is_cut() const { return received_ > options_.longest_answer; }

  PostAnswer seen() const {
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &retry_after);
    return {.status = static_cast<int>(status), .retry_after = std::chrono::seconds(std::max<curl_off_t>(0, retry_after))};
  }

  const Post post_;
  const PosterOptions& options_;
  Callback<Result<PostAnswer>> done_;
  AddressGuard guard_;
  const HeaderList headers_;
  const CurlEasy easy_;  // before what it uses
  std::size_t received_ = 0;
};

Poster::Poster(PosterOptions options) : options_(options), multi_(make_multi()), thread_("poster", [this] { serve(); }) {}

Poster::~Poster() { cancel(); }

void Poster::post(Post post, Callback<Result<PostAnswer>> done) {
  auto request = std::make_unique<Request>(std::move(post), options_, std::move(done));
  {
    MutexLock lock(mutex_);
    waiting_.push_back(std::move(request));
    if (!cancelled_) {
      curl_multi_wakeup(multi_.get());
      return;
    }
  }
  answer_waiting_cancelled();
}

void Poster::cancel() {
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
  }
  curl_multi_wakeup(multi_.get());
}

void Poster::serve() {
  constexpr int kLongestPoll = 60'000;  // milliseconds; libcurl comes back for its own timeouts, and a wake-up ends it
  while (begin_waiting()) {
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    if (!answer_ended()) curl_multi_poll(multi_.get(), nullptr, 0, kLongestPoll, nullptr);
  }
  answer_all_cancelled();
}

// False once it is cancelled.
bool Poster::begin_waiting() {
  auto requests = take(options_.most_at_once - active_.size());
  for (auto& request : requests) {
    if (auto ready = request->prepare(); !ready) {
      request->answer(std::unexpected(ready.error()));
      continue;
    }
    curl_multi_add_handle(multi_.get(), request->easy());
    auto* easy = request->easy();
    active_.emplace(easy, std::move(request));
  }
  MutexLock lock(mutex_);
  return !cancelled_;
}

std::deque<std::unique_ptr<Poster::Request>> Poster::take(std::size_t most) {
  MutexLock lock(mutex_);
  std::deque<std::unique_ptr<Request>> taken;
  while (!waiting_.empty() && taken.size() < most) {
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

// True when there was one.
bool Poster::answer_ended() {
  bool any = false;
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    auto code = message->data.result;
    auto ended = active_.extract(message->easy_handle);
    curl_multi_remove_handle(multi_.get(), ended.key());
    ended.mapped()->answer(ended.mapped()->ended(code));
    any = true;
  }
  return any;
}

void Poster::answer_waiting_cancelled() {
  for (auto& request : take(static_cast<std::size_t>(-1))) request->answer(fail(request->cancelled()));
}

void Poster::answer_all_cancelled() {
  for (auto& [easy, request] : active_) {
    curl_multi_remove_handle(multi_.get(), easy);
    request->answer(fail(request->cancelled()));
  }
  active_.clear();
  answer_waiting_cancelled();
}

}  // namespace lo::dataset
