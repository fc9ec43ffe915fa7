// What every use of libcurl here shares: owners of its handles, and the check of the address that is connected to.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <string>

#include "dataset/download.h"

namespace lo::dataset {

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using CurlEasy = std::unique_ptr<CURL, FreeEasy>;
using CurlMulti = std::unique_ptr<CURLM, FreeMulti>;

// libcurl wants to be set up once per process.
bool start_curl();

// http and https alone, and nothing from the process's surroundings: no proxy, no .netrc, no signals.
void restrict_to_web(CURL* easy);

// A header of the last answer.
std::optional<std::string> header_of(CURL* easy, const char* name);

// Lets a handle connect to allowed addresses only, whatever a name resolved to. Stays where it is while the handle lives.
class AddressGuard {
 public:
  explicit AddressGuard(UrlPolicy policy) : policy_(policy) {}
  AddressGuard(const AddressGuard&) = delete;
  AddressGuard& operator=(const AddressGuard&) = delete;

  void watch(CURL* easy);
  const std::optional<Error>& refused() const { return refused_; }  // the last address that was

 private:
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address);

  const UrlPolicy policy_;
  std::optional<Error> refused_;
};

}  // namespace lo::dataset
