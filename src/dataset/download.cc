#include "dataset/download.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "base/log.h"
#include "dataset/curl.h"
#include "dataset/resume.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kMostWaiting = std::size_t{4} << 20;  // bytes received and not yet read
constexpr long kReceiveBytes = 256 * 1024;

bool begins_with_html(std::string_view type) {
  std::string lower(type.substr(0, 9));
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower == "text/html" || type.starts_with("application/xhtml");
}

// Pulled: libcurl works while read() waits for bytes, and what is not asked for stays in the kernel's buffers.
class Download final : public ByteSource {
 public:
  Download(std::string url, const DownloadOptions& options, std::stop_token stop)
      : url_(std::move(url)),
        options_(options),
        stop_(std::move(stop)),
        deadline_(Clock::now() + options.timeout),
        guard_(options.policy),
        resume_(options.max_resumes, options.resume_pause),
        multi_(curl_multi_init()),
        easy_(curl_easy_init()) {}
  ~Download() override { curl_multi_remove_handle(multi_.get(), easy_.get()); }
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  Status open() {
    if (!multi_ || !easy_) return fail(Code::internal, "libcurl could not start");
    set_options();
    curl_multi_add_handle(multi_.get(), easy_.get());
    LO_TRY(wait_for_bytes());
    return check_answer();
  }

  Result<std::size_t> read(std::span<char> some) override {
    LO_TRY(wait_for_bytes());
    auto size = std::min(some.size(), waiting_.size() - begin_);
    std::memcpy(some.data(), waiting_.data() + begin_, size);
    begin_ += size;
    taken_ += static_cast<std::int64_t>(size);
    return size;
  }

  std::int64_t bytes_taken() const override { return taken_; }

  std::optional<std::int64_t> bytes_total() const override { return total_; }

 private:
  using Clock = std::chrono::steady_clock;

  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  void set_options() {
    set(CURLOPT_URL, url_.c_str());
    restrict_to_web(easy_.get());
    guard_.watch(easy_.get());
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, static_cast<long>(options_.max_redirects));
    set(CURLOPT_PROXY, options_.proxy.c_str());
    set(CURLOPT_BUFFERSIZE, kReceiveBytes);
    set_limits();
    set(CURLOPT_WRITEFUNCTION, &Download::on_bytes);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  }

  void set_limits() {
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.connect_timeout.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout.count()));
    set_time_left();
  }

  void set_time_left() {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    set(CURLOPT_TIMEOUT_MS, std::max<long>(1, left));  // 0 would be for ever
  }

  static std::size_t on_bytes(char* bytes, std::size_t, std::size_t size, void* self) {
    auto& download = *static_cast<Download*>(self);
    if (download.waiting_.size() - download.begin_ > kMostWaiting) {
      download.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    if (download.received_ == 0) download.note_answer();
    download.waiting_.append(bytes, size);
    download.received_ += static_cast<std::int64_t>(size);
    return size;
  }

  // Of the first answer: later ones are about the rest.
  void note_answer() {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length >= 0) total_ = length;
    resume_.sent(easy_.get());
  }

  bool has_bytes() const { return begin_ < waiting_.size(); }

  // Until a byte waits or the end is known to be a good one.
  Status wait_for_bytes() {
    if (has_bytes()) return {};
    waiting_.clear();
    begin_ = 0;
    std::stop_callback wake(stop_, [this] { curl_multi_wakeup(multi_.get()); });
    while (!has_bytes() && !ended_) {
      if (stop_.stop_requested()) return fail(Code::cancelled, fmt::format("the download of {} was cancelled", url_));
      LO_TRY(work());
    }
    return {};
  }

  Status work() {
    if (std::exchange(paused_, false)) curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
    int running = 0;
    if (auto code = curl_multi_perform(multi_.get(), &running); code != CURLM_OK)
      return fail(Code::internal, fmt::format("libcurl: {}", curl_multi_strerror(code)));
    if (running == 0 && !has_bytes()) return end();  // what came before it is read first
    if (!has_bytes()) curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    return {};
  }

  Status end() {
    int left = 0;
    const auto* message = curl_multi_info_read(multi_.get(), &left);
    if (message == nullptr || message->msg != CURLMSG_DONE) return fail(Code::internal, "libcurl ended without a word");
    auto code = message->data.result;
    if (auto pause = Clock::now() < deadline_ ? resume_.next_try(code, status(), received_) : std::nullopt) return go_on(*pause);
    ended_ = true;
    if (code != CURLE_OK) return failed(code);
    return total_ && received_ < *total_ ? broke_off() : Status();
  }

  // Asks for the rest, after a while.
  Status go_on(std::chrono::milliseconds pause) {
    log::info("dataset: the download of {} goes on after byte {}", url_, received_);
    curl_multi_remove_handle(multi_.get(), easy_.get());
    auto until = Clock::now() + pause;
    for (auto now = Clock::now(); now < until && !stop_.stop_requested(); now = Clock::now())
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(until - now).count()), nullptr);
    resume_.ask(easy_.get(), received_);
    set_time_left();
    curl_multi_add_handle(multi_.get(), easy_.get());
    return {};
  }

  std::unexpected<Error> broke_off() const {
    return fail(Code::io, fmt::format("the download of {} broke off after {} of {} bytes", url_, received_,
                                      total_ ? std::to_string(*total_) : "an unknown number of"));
  }

  Status failed(CURLcode code) const {
    if (guard_.refused()) return fail(Code::forbidden, fmt::format("{} is refused: {}", url_, guard_.refused()->message));
    switch (code) {
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_GOT_NOTHING:
      case CURLE_HTTP2_STREAM: return broke_off();
      case CURLE_RANGE_ERROR:
        return fail(Code::io, fmt::format("the download of {} broke off after {} bytes, and the server does not send the rest of the same file", url_,
                                          received_));
      case CURLE_OPERATION_TIMEDOUT:
        return fail(Code::timeout, fmt::format("{} took too long: {} bytes came", url_, received_));
      case CURLE_TOO_MANY_REDIRECTS:
        return fail(Code::unacceptable, fmt::format("{} redirects more than {} times", url_, options_.max_redirects));
      case CURLE_UNSUPPORTED_PROTOCOL:
        if (status() / 100 == 3)
          return fail(Code::forbidden, fmt::format("{} redirects to something that is neither http nor https", url_));
        return fail(Code::io, fmt::format("{} did not answer in HTTP", url_));
      default: return fail(Code::io, fmt::format("{} cannot be read: {}", url_, curl_easy_strerror(code)));
    }
  }

  // Of the last answer; 0 when there was none.
  long status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  Status check_answer() const {
    if (status() / 100 != 2) {
      bool gone = status() == 404 || status() == 410;
      return fail(gone ? Code::not_found : Code::unacceptable, fmt::format("{} answered with status {}", url_, status()));
    }
    const char* type = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr && !options_.accept_html && begins_with_html(type))
      return fail(Code::unacceptable, fmt::format("{} answered with a web page ({}), not with data", url_, type));
    return {};
  }

  const std::string url_;
  const DownloadOptions options_;
  const std::stop_token stop_;
  const Clock::time_point deadline_;
  AddressGuard guard_;
  Resume resume_;    // has headers of easy_
  CurlMulti multi_;  // outlives easy_
  CurlEasy easy_;
  std::string waiting_;  // received; those before begin_ are read
  std::size_t begin_ = 0;
  std::int64_t received_ = 0;          // of the file
  std::int64_t taken_ = 0;             // of those, given to whoever reads
  std::optional<std::int64_t> total_;  // where the server said it
  bool paused_ = false;
  bool ended_ = false;
};

}  // namespace

Result<Source> open_url(const std::string& url, const DownloadOptions& options, std::stop_token stop) {
  LO_TRY(check_url(url, "/url", options.policy));
  if (!start_curl()) return fail(Code::internal, "libcurl could not start");
  auto download = std::make_unique<Download>(url, options, std::move(stop));
  LO_TRY(download->open());
  return download;
}

}  // namespace lo::dataset
