// When and how a download that broke off goes on.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace lo::dataset {

class Resume {
 public:
  // At most `tries` in a row that bring nothing new; `pause` before the first, twice as long before each other.
  Resume(int tries, std::chrono::milliseconds pause) : most_tries_(tries), first_pause_(pause) {}

  // By what the server will know again the file that it sends: ETag or Last-Modified. Without one no download goes on.
  void sent(CURL* easy);

  // A transfer ended, with so many bytes in all: how long to wait before the next one, or nothing when there is none.
  std::optional<std::chrono::milliseconds> next_try(CURLcode code, long status, std::int64_t received);

  // Asks for what comes after `received` bytes of the same file.
  void ask(CURL* easy, std::int64_t received);

 private:
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  const int most_tries_;
  const std::chrono::milliseconds first_pause_;
  std::optional<std::string> validator_;
  std::int64_t received_ = 0;  // when it was tried last
  int tries_ = 0;              // since then
  std::unique_ptr<curl_slist, FreeList> headers_;
};

}  // namespace lo::dataset
