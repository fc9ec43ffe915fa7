// Sends a response: the head, then the whole body or a stream of chunks. On the connection's strand.
#pragma once

#include <chrono>

#include "http/life.h"
#include "http/message.h"
#include "http/peer.h"
#include "http/wire.h"

namespace lo::http {

struct AnswerOptions {
  unsigned version = 11;
  bool keep_alive = true;
  bool head = false;                  // an answer to HEAD: no body is sent
  std::chrono::milliseconds stall{};  // how long the client may take nothing
};

// Gives whether the client got all of it. A response that cannot be sent as it is becomes a 500 (in `response.status` too).
Awaitable<bool> send_answer(Peer& peer, Life& life, Response& response, AnswerOptions options);

}  // namespace lo::http
