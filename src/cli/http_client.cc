#include "cli/http_client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>
#include <cerrno>
#include <utility>

#include "base/fd.h"

namespace lo::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kConnectTimeout{5};

struct EasyDeleter {
  void operator()(void* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(void* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<void, EasyDeleter>;
using Multi = std::unique_ptr<void, MultiDeleter>;
using List = std::unique_ptr<curl_slist, ListDeleter>;

void append(List& list, const std::string& line) {
  auto* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return;
  std::ignore = list.release();
  list.reset(longer);
}

// A proxy of the environment cannot reach a server on this machine.
bool is_on_this_machine(const std::string& base_url) {
  auto url = boost::urls::parse_uri(base_url);
  if (!url) return false;
  std::string host(url->encoded_host());
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

Code code_of(CURLcode code) {
  switch (code) {
    case CURLE_READ_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_PEER_FAILED_VERIFICATION: return Code::io;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return Code::unacceptable;
    default: return Code::unavailable;
  }
}

Result<UniqueFd> open_to_send(const std::filesystem::path& path, curl_off_t& size) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about{};
  if (!file || ::fstat(file.get(), &about) != 0) return fail_errno(fmt::format("cannot read '{}'", path.string()), errno);
  size = about.st_size;
  return file;
}

bool is_success(long status) { return status >= 200 && status < 300; }

class CurlTransfer;

// What all transfers of a client share.
struct Pool {
  Multi multi{curl_multi_init()};
  std::vector<CurlTransfer*> transfers;
  std::uint64_t pieces = 0;  // of answers that have come
};

class CurlTransfer final : public HttpClient::Transfer {
 public:
  CurlTransfer(Pool& pool, const std::string& base_url, const std::string& ca, HttpRequest request)
      : pool_(pool), base_url_(base_url), url_(base_url + request.path), request_(std::move(request)) {
    if (!ca.empty()) set(CURLOPT_CAINFO, ca.c_str());
    pool_.transfers.push_back(this);
    if (auto prepared = prepare(); !prepared) {
      ended_ = fail(std::move(prepared).error());
    } else if (curl_multi_add_handle(pool_.multi.get(), easy_.get()) != CURLM_OK) {
      ended_ = fail(Code::internal, "libcurl takes no more transfers");
    }
  }
  ~CurlTransfer() override {
    curl_multi_remove_handle(pool_.multi.get(), easy_.get());
    std::erase(pool_.transfers, this);
  }
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  const Result<HttpAnswer>* ended() const override { return ended_ ? &*ended_ : nullptr; }

  bool answers() const override { return is_success(status()); }

  void* easy() const { return easy_.get(); }

  void end(CURLcode code) {
    if (ended_) return;
    if (code != CURLE_OK) {
      std::string_view why = problem_[0] != '\0' ? problem_.data() : curl_easy_strerror(code);
      ended_ = fail(code_of(code), fmt::format("no answer from {}: {}", base_url_, why));
      return;
    }
    const char* type = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &type);
    answer_.content_type = type == nullptr ? "" : type;
    answer_.status = status();
    ended_ = std::move(answer_);
  }

  bool ends_for_silence(Clock::time_point now) {
    if (ended_ || request_.silence.count() == 0 || now - moved_ < request_.silence) return false;
    ended_ = fail(Code::unavailable, fmt::format("no answer from {} for {} s", base_url_, request_.silence.count()));
    curl_multi_remove_handle(pool_.multi.get(), easy_.get());
    return true;
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  Status prepare() {
    if (!easy_) return fail(Code::internal, "libcurl cannot start");
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "orchestra/" ORCHESTRA_VERSION);
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(kConnectTimeout.count()));
    set(CURLOPT_ERRORBUFFER, problem_.data());
    set(CURLOPT_WRITEFUNCTION, &CurlTransfer::on_write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    if (is_on_this_machine(base_url_)) set(CURLOPT_NOPROXY, "*");
    LO_TRY(prepare_body());
    prepare_headers();
    return {};
  }

  Status prepare_body() {
    if (request_.file) {
      curl_off_t size = 0;
      LO_ASSIGN(file_, open_to_send(*request_.file, size));
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_INFILESIZE_LARGE, size);
      set(CURLOPT_READFUNCTION, &CurlTransfer::on_read);
      set(CURLOPT_READDATA, this);
      set(CURLOPT_SEEKFUNCTION, &CurlTransfer::on_seek);
      set(CURLOPT_SEEKDATA, this);
    } else if (request_.method != "GET" && request_.method != "DELETE") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      set(CURLOPT_POSTFIELDS, request_.body.data());
    }
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    // On a connection of before, libcurl sends a request once more when the server closes without an answer. What changes
    // something must not be sent twice behind our back.
    if (request_.method != "GET") set(CURLOPT_FRESH_CONNECT, 1L);
    return {};
  }

  void prepare_headers() {
    append(headers_, "Expect:");
    append(headers_, request_.content_type.empty() ? "Content-Type:" : "Content-Type: " + request_.content_type);
    for (const auto& header : request_.headers) append(headers_, header);
    set(CURLOPT_HTTPHEADER, headers_.get());
  }

  long status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  static std::size_t on_write(char* data, std::size_t, std::size_t size, void* self_pointer) {
    auto& self = *static_cast<CurlTransfer*>(self_pointer);
    self.moved_ = Clock::now();
    ++self.pool_.pieces;
    if (self.answers() && self.request_.sink)
      self.request_.sink({data, size});
    else
      self.answer_.body.append(data, size);
    return size;
  }

  static std::size_t on_header(char*, std::size_t, std::size_t size, void* self_pointer) {
    ++static_cast<CurlTransfer*>(self_pointer)->pool_.pieces;
    return size;
  }

  static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self_pointer) {
    auto& self = *static_cast<CurlTransfer*>(self_pointer);
    self.moved_ = Clock::now();
    auto got = ::read(self.file_.get(), into, size * count);
    while (got < 0 && errno == EINTR) got = ::read(self.file_.get(), into, size * count);
    return got < 0 ? CURL_READFUNC_ABORT : static_cast<std::size_t>(got);
  }

  static int on_seek(void* self_pointer, curl_off_t offset, int origin) {
    auto& self = *static_cast<CurlTransfer*>(self_pointer);
    return ::lseek(self.file_.get(), offset, origin) < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
  }

  // Constant after construction.
  Pool& pool_;
  std::string base_url_;
  std::string url_;
  HttpRequest request_;
  UniqueFd file_;
  List headers_;
  // What libcurl fills in.
  std::array<char, CURL_ERROR_SIZE> problem_{};
  HttpAnswer answer_;
  Clock::time_point moved_ = Clock::now();
  std::optional<Result<HttpAnswer>> ended_;
  Easy easy_{curl_easy_init()};  // goes first: it points to all of the above
};

}  // namespace

class HttpClient::Impl {
 public:
  Impl(std::string base_url, int interrupt_fd, std::string token, std::string ca)
      : base_url_(std::move(base_url)), interrupt_fd_(interrupt_fd), token_(std::move(token)), ca_(std::move(ca)) {}

  std::unique_ptr<Transfer> start(HttpRequest request) {
    if (!token_.empty()) request.headers.push_back("Authorization: Bearer " + token_);
    return std::make_unique<CurlTransfer>(pool_, base_url_, ca_, std::move(request));
  }

  Status wait(std::chrono::milliseconds timeout) {
    auto before = pool_.pieces;
    LO_ASSIGN(bool ended, move());
    if (ended || pool_.pieces != before) return {};
    curl_waitfd also{.fd = interrupt_fd_, .events = CURL_WAIT_POLLIN, .revents = 0};
    unsigned others = interrupt_fd_ >= 0 ? 1 : 0;
    curl_multi_poll(pool_.multi.get(), &also, others, static_cast<int>(timeout.count()), nullptr);
    if (also.revents != 0) return fail(Code::cancelled, "interrupted");
    LO_TRY(move());
    return {};
  }

  const std::string& base_url() const { return base_url_; }

 private:
  // Gives whether a transfer ended.
  Result<bool> move() {
    int running = 0;
    if (auto code = curl_multi_perform(pool_.multi.get(), &running); code != CURLM_OK)
      return fail(Code::internal, fmt::format("libcurl: {}", curl_multi_strerror(code)));
    bool ended = false;
    int left = 0;
    while (const auto* message = curl_multi_info_read(pool_.multi.get(), &left)) {
      auto found = std::ranges::find(pool_.transfers, message->easy_handle, &CurlTransfer::easy);
      if (message->msg != CURLMSG_DONE || found == pool_.transfers.end()) continue;
      (*found)->end(message->data.result);
      ended = true;
    }
    for (auto now = Clock::now(); auto* transfer : pool_.transfers) ended |= transfer->ends_for_silence(now);
    return ended;
  }

  std::string base_url_;
  int interrupt_fd_;
  std::string token_;
  std::string ca_;
  Pool pool_;
};

HttpClient::HttpClient(std::string base_url, int interrupt_fd, std::string token, std::string ca)
    : impl_(std::make_unique<Impl>(std::move(base_url), interrupt_fd, std::move(token), std::move(ca))) {}
HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::send(HttpRequest request) {
  auto transfer = impl_->start(std::move(request));
  while (transfer->ended() == nullptr) LO_TRY(impl_->wait(std::chrono::seconds{1}));
  return *transfer->ended();
}

std::unique_ptr<HttpClient::Transfer> HttpClient::start(HttpRequest request) { return impl_->start(std::move(request)); }

Status HttpClient::wait(std::chrono::milliseconds timeout) { return impl_->wait(timeout); }

const std::string& HttpClient::base_url() const { return impl_->base_url(); }

std::string url_escaped(std::string_view text) { return boost::urls::encode(text, boost::urls::unreserved_chars); }

}  // namespace lo::cli
