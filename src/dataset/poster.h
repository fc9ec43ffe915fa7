// POSTs to URLs that strangers named: many side by side on one thread of its own, none waits for another. Follows no redirect; the
// addresses that may be connected to are those of downloads.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/mutex.h"
#include "base/named_thread.h"
#include "dataset/curl.h"

namespace lo::dataset {

struct Post {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Its body is not kept.
struct PostAnswer {
  int status = 0;
  std::chrono::seconds retry_after{0};  // of the header, as seconds or as a date
};

struct PosterOptions {
  UrlPolicy policy = {};
  std::chrono::milliseconds timeout{15'000};  // of a POST in all
  std::size_t most_at_once = 128;             // the others wait for a place, and their timeout with them
  std::size_t longest_answer = 64 << 10;      // bytes of the body that are read before the connection is closed
};

class Poster {
 public:
  explicit Poster(PosterOptions options);
  ~Poster();  // as cancel(), then joins
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;

  // Any thread. `done` runs on the poster's thread (once it is cancelled, on the caller's) and must not block. It gets whatever
  // status was answered, or, naming the URL, Code::unacceptable and Code::forbidden as check_url and check_address say,
  // Code::timeout, Code::io, Code::cancelled.
  void post(Post post, Callback<Result<PostAnswer>> done);

  // Ends all with Code::cancelled, also those to come. Any thread; does not wait.
  void cancel();

 private:
  class Request;

  void serve();
  bool begin_waiting();
  bool answer_ended();
  void answer_all_cancelled();
  void answer_waiting_cancelled();
  std::deque<std::unique_ptr<Request>> take(std::size_t most);

  const PosterOptions options_;
  const CurlMulti multi_;
  std::map<CURL*, std::unique_ptr<Request>> active_;  // the thread's
  Mutex mutex_;
  std::deque<std::unique_ptr<Request>> waiting_ LO_GUARDED_BY(mutex_);
  bool cancelled_ LO_GUARDED_BY(mutex_) = false;
  NamedThread thread_;  // last: ends before what it uses
};

}  // namespace lo::dataset
