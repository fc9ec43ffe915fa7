// Requests that make something, each carried out once however often it is sent: the Idempotency-Key header
// (draft-ietf-httpapi-idempotency-key-header).
//
// What such a request is answered is known before it is committed, and the answer is committed with it, as a receipt. So a repeat gets
// the same answer after any crash, and a request that was refused leaves nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/handlers.h"
#include "api/open_keys.h"

namespace lo::api {

// The answer to a request that makes something.
struct Acceptance {
  unsigned status = 201;
  json::object body;                    // {"result": …}
  std::string location = {};            // "" without one
  std::vector<std::string> steps = {};  // those that Prefer: wait waits for
};

// A request on its way, and its key if it has one.
class Ticket {
 public:
  // Code::malformed for a key that is not 1 to 255 visible ASCII characters, and OpenKeys::claim's.
  static Result<Ticket> open(const Context& context, const http::Request& request);

  bool keyed() const { return claim_.has_value(); }

  // The body of a route that streams is known late. `digest` as store/digest.h has it.
  void body_is(std::string digest) { body_ = std::move(digest); }

  // The answer of an earlier request with this key, read on the pool; nothing when there was none. Reads what is left of a streamed
  // body. Code::mismatch when the earlier one was another request.
  Awaitable<Result<std::optional<Acceptance>>> earlier(const http::Request& request);

  // What is to be committed with what makes `acceptance` true; nothing without a key.
  std::optional<catalog::Receipt> receipt(const Acceptance& acceptance) const;

  // The outcome is on disk, or there is none: the key may be used again.
  void close() { claim_.reset(); }

 private:
  Ticket(const Context& context, std::string key, std::string head) : context_(&context), key_(std::move(key)), head_(std::move(head)) {}
  std::string request_digest() const;

  const Context* context_;
  std::string key_;
  std::string head_;  // digest of method, path and query
  std::string body_;
  std::optional<OpenKeys::Claim> claim_;
};

// The answer, after waiting as Prefer says, then with the member `metadata`.
Awaitable<http::Response> answer_of(const Context& context, const http::Request& request, Acceptance acceptance);

// The answer to a repeat, or to a request that cannot be carried out now.
Awaitable<http::Response> replay(const Context& context, const http::Request& request, Acceptance acceptance);
Result<http::Response> refuse(const http::Request& request, Error error);

// Has `work`, a Work(Ticket&) → Awaitable<Result<Acceptance>>, carry out the request, unless it has been already.
template <class Work>
Awaitable<Result<http::Response>> once(const Context& context, const http::Request& request, Work work) {
  auto ticket = Ticket::open(context, request);
  if (!ticket) co_return refuse(request, ticket.error());
  if (ticket->keyed()) {
    auto earlier = co_await ticket->earlier(request);
    if (!earlier) co_return std::unexpected(earlier.error());
    if (*earlier) {
      ticket->close();
      co_return co_await replay(context, request, **std::move(earlier));
    }
  }
  Result<Acceptance> accepted = co_await work(*ticket);
  ticket->close();
  if (!accepted) co_return std::unexpected(accepted.error());
  co_return co_await answer_of(context, request, *std::move(accepted));
}

}  // namespace lo::api
