#include "dataset/resume.h"

#include "dataset/curl.h"

namespace lo::dataset {
namespace {

constexpr int kMostDoublings = 6;

bool breaks_off(CURLcode code) {
  switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_OPERATION_TIMEDOUT: return true;
    default: return false;
  }
}

// A refusal to go on from a server that may think better of it.
bool is_passing(CURLcode code, long status) { return code == CURLE_RANGE_ERROR && (status / 100 == 5 || status == 429); }

}  // namespace

void Resume::sent(CURL* easy) {
  validator_ = header_of(easy, "ETag");
  if (!validator_ || validator_->starts_with("W/")) validator_ = header_of(easy, "Last-Modified");
}

std::optional<std::chrono::milliseconds> Resume::next_try(CURLcode code, long status, std::int64_t received) {
  if (!validator_ || received == 0 || !(breaks_off(code) || is_passing(code, status))) return std::nullopt;
  if (received > received_) tries_ = 0;
  received_ = received;
  if (tries_ == most_tries_) return std::nullopt;
  return first_pause_ * (1 << std::min(tries_++, kMostDoublings));
}

void Resume::ask(CURL* easy, std::int64_t received) {
  headers_.reset(curl_slist_append(nullptr, ("If-Range: " + *validator_).c_str()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(received));
}

}  // namespace lo::dataset
