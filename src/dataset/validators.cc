#include "dataset/validators.h"

#include "base/json.h"
#include "dataset/curl.h"

namespace lo::dataset {
namespace {

void set_options(CURL* easy, const std::string& url, const DownloadOptions& options, AddressGuard& guard) {
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  restrict_to_web(easy);
  guard.watch(easy);
  curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, static_cast<long>(options.max_redirects));
  curl_easy_setopt(easy, CURLOPT_PROXY, options.proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, static_cast<long>(options.timeout.count()));
}

}  // namespace

std::optional<std::string> validators_of(const std::string& url, const DownloadOptions& options) {
  if (!check_url(url, "/url", options.policy) || !start_curl()) return std::nullopt;
  AddressGuard guard(options.policy);
  CurlEasy easy(curl_easy_init());
  if (!easy) return std::nullopt;
  set_options(easy.get(), url, options, guard);
  long status = 0;
  if (curl_easy_perform(easy.get()) != CURLE_OK || curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status) != CURLE_OK) return std::nullopt;
  auto etag = header_of(easy.get(), "ETag");
  auto changed = header_of(easy.get(), "Last-Modified");
  if (status != 200 || (!etag && !changed)) return std::nullopt;
  return write_json(json::array{etag.value_or(""), changed.value_or(""), header_of(easy.get(), "Content-Length").value_or("")});
}

}  // namespace lo::dataset
