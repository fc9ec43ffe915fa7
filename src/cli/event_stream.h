// A subscription to server-sent events that mends itself: when it breaks, it is opened again from the last event.
//
// Threads: as HttpClient.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/http_client.h"
#include "cli/sse_reader.h"

namespace lo::cli {

struct StreamNews {
  std::vector<SseEvent> events;
  bool opened = false;   // again or for the first time: what happened before may have been missed
  bool refused = false;  // the server answered with an error: it will not open
};

class EventStream {
 public:
  // `path` with the API's prefix and query. Opened by the first next().
  EventStream(HttpClient& http, std::string path) : http_(http), path_(std::move(path)) {}

  // What came since the last call; if nothing did, waits up to `timeout` for more. Code::cancelled when interrupted.
  Result<StreamNews> next(std::chrono::milliseconds timeout);

  // The server ended the stream in good order, or answered with this error.
  const Result<HttpAnswer>* ended() const { return transfer_ ? transfer_->ended() : nullptr; }

 private:
  void open();
  StreamNews take_news();

  HttpClient& http_;
  std::string path_;
  std::unique_ptr<SseReader> reader_;  // of this connection
  std::vector<SseEvent> events_;
  std::string last_id_;
  bool announced_ = false;  // that this connection is open
  std::chrono::steady_clock::time_point opened_at_;
  std::unique_ptr<HttpClient::Transfer> transfer_;  // goes first: it writes into all of the above
};

}  // namespace lo::cli
