#include "dataset/download.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "dataset/curl.h"

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
        guard_(options.policy),
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

  std::optional<std::int64_t> bytes_total() const override {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length < 0 ? std::nullopt : std::optional<std::int64_t>(length);
  }

 private:
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
    set(CURLOPT_TIMEOUT, static_cast<long>(options_.timeout.count()));
  }

  static std::size_t on_bytes(char* bytes, std::size_t, std::size_t size, void* self) {
    auto& download = *static_cast<Download*>(self);
    if (download.waiting_.size() - download.begin_ > kMostWaiting) {
      download.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    download.waiting_.append(bytes, size);
    return size;
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
    if (running == 0) return end();
    if (!has_bytes()) curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    return {};
  }

  Status end() {
    ended_ = true;
    int left = 0;
    const auto* message = curl_multi_info_read(multi_.get(), &left);
    if (message == nullptr || message->msg != CURLMSG_DONE) return fail(Code::internal, "libcurl ended without a word");
    return message->data.result == CURLE_OK ? Status() : failed(message->data.result);
  }

  Status failed(CURLcode code) const {
    if (guard_.refused()) return fail(Code::forbidden, fmt::format("{} is refused: {}", url_, guard_.refused()->message));
    switch (code) {
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_GOT_NOTHING:
      case CURLE_HTTP2_STREAM:
        return fail(Code::io, fmt::format("the download of {} broke off after {} of {} bytes", url_, received(), total_text()));
      case CURLE_OPERATION_TIMEDOUT:
        return fail(Code::timeout, fmt::format("{} took too long: {} bytes came", url_, received()));
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

  std::int64_t received() const {
    curl_off_t size = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_DOWNLOAD_T, &size);
    return size;
  }

  std::string total_text() const {
    auto total = bytes_total();
    return total ? std::to_string(*total) : "an unknown number of";
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
  AddressGuard guard_;
  CurlMulti multi_;  // outlives easy_
  CurlEasy easy_;
  std::string waiting_;  // received; those before begin_ are read
  std::size_t begin_ = 0;
  std::int64_t taken_ = 0;
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
