#include "api/once.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "store/digest.h"

namespace lo::api {
namespace {

constexpr std::size_t kLongestKey = 255;

bool is_visible(char c) { return c > ' ' && c <= '~'; }

// "" without a key.
Result<std::string> read_key(const http::Request& request) {
  auto key = request.header("idempotency-key");
  if (!key) return "";
  if (key->empty() || key->size() > kLongestKey || !std::ranges::all_of(*key, is_visible))
    return fail(Code::malformed, fmt::format("the Idempotency-Key must be 1 to {} visible ASCII characters", kLongestKey));
  return std::string(*key);
}

// The order of the query's members does not matter.
std::string head_of(const http::Request& request) {
  auto query = request.query;
  std::ranges::sort(query);
  json::array members;
  for (const auto& [name, value] : query) members.push_back(json::array{name, value});
  return store::digest_of(write_json(json::array{request.method, request.path, std::move(members)}));
}

Awaitable<Result<std::string>> digest_of_stream(http::BodyReader& body) {
  store::Digester digester;
  std::array<char, 65536> buffer{};
  for (;;) {
    auto got = co_await body.read(buffer);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return digester.digest();
    digester.add({buffer.data(), *got});
  }
}

json::object to_json(const Acceptance& acceptance) {
  return {{"status", std::int64_t{acceptance.status}},
          {"body", acceptance.body},
          {"location", acceptance.location},
          {"steps", json::array(acceptance.steps.begin(), acceptance.steps.end())}};
}

Result<Acceptance> acceptance_of(const json::object& answer) {
  const auto* status = answer.if_contains("status");
  const auto* body = answer.if_contains("body");
  const auto* steps = answer.if_contains("steps");
  if (status == nullptr || !status->is_int64() || body == nullptr || !body->is_object() || steps == nullptr || !steps->is_array())
    return fail(Error{.code = Code::corrupt, .message = "a stored answer is damaged", .internal = write_json(answer)});
  Acceptance acceptance{.status = static_cast<unsigned>(status->get_int64()), .body = body->get_object(), .location = string_or(answer, "location")};
  for (const auto& step : steps->get_array())
    if (const auto* name = step.if_string()) acceptance.steps.emplace_back(*name);
  return acceptance;
}

}  // namespace

Result<Ticket> Ticket::open(const Context& context, const http::Request& request) {
  LO_ASSIGN(auto key, read_key(request));
  if (key.empty()) return Ticket(context, "", "");
  Ticket ticket(context, std::move(key), head_of(request));
  if (request.stream == nullptr) ticket.body_is(store::digest_of(request.body));
  LO_ASSIGN(auto claim, context.open_keys->claim(ticket.key_, ticket.request_digest()));
  ticket.claim_.emplace(std::move(claim));
  return ticket;
}

std::string Ticket::request_digest() const { return store::digest_of(head_ + body_); }

Awaitable<Result<std::optional<Acceptance>>> Ticket::earlier(const http::Request& request) {
  auto receipt = co_await context_->pool->run([this] { return context_->catalog->find_receipt(key_); });
  if (!receipt) co_return std::unexpected(receipt.error());
  if (!*receipt || (*receipt)->created + context_->keep.receipts <= context_->clock->now()) co_return std::nullopt;
  if (request.stream != nullptr) {
    auto digest = co_await digest_of_stream(*request.stream);
    if (!digest) co_return std::unexpected(digest.error());
    body_is(*std::move(digest));
  }
  if ((*receipt)->request != request_digest())
    co_return fail(Code::mismatch, fmt::format("the Idempotency-Key \"{}\" was used for another request: take a new key for each", key_));
  co_return acceptance_of((*receipt)->answer);
}

std::optional<catalog::Receipt> Ticket::receipt(const Acceptance& acceptance) const {
  if (!keyed()) return std::nullopt;
  return catalog::Receipt{.key = key_, .request = request_digest(), .answer = to_json(acceptance), .created = context_->clock->now()};
}

Awaitable<http::Response> answer_of(const Context& context, const http::Request& request, Acceptance acceptance) {
  auto wait = preferred_wait(request);
  if (wait && !acceptance.steps.empty()) {
    request.allow_cancel();
    co_await wait_until_ended(context, acceptance.steps, *wait);
    json::array metadata;
    for (const auto& name : acceptance.steps)
      if (auto record = co_await load_step(context, name)) metadata.push_back(metadata_of(*record));
    acceptance.body["metadata"] = metadata.size() == 1 ? metadata.front() : json::value(metadata);
  }
  auto response = http::json_response(acceptance.status, acceptance.body);
  if (wait && !acceptance.steps.empty()) add_applied_wait(*wait, response);
  if (!acceptance.location.empty()) response.headers.emplace_back("Location", acceptance.location);
  co_return response;
}

Awaitable<http::Response> replay(const Context& context, const http::Request& request, Acceptance acceptance) {
  auto response = co_await answer_of(context, request, std::move(acceptance));
  response.headers.emplace_back("Idempotency-Replayed", "true");
  co_return response;
}

Result<http::Response> refuse(const http::Request& request, Error error) {
  if (error.code != Code::conflict) return std::unexpected(std::move(error));
  auto response = http::problem_response(error, request.path);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace lo::api
