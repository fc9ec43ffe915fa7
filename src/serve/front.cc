#include "serve/front.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace lo::serve {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kPatience = 15s;   // for somebody to lead
constexpr auto kLook = 50ms;      // between two tries with one that cannot be reached
constexpr const char* kHandedOn = "orchestra-handed-on";  // of a request: another server of the group has sent it

http::Response refuse_handed_on(const http::Request& request) {
  return http::problem_response(Error{.code = Code::elsewhere, .message = "another server leads: try again"}, request.target);
}

bool is_elsewhere(const http::Response& response) {
  return response.status == 503 && std::ranges::any_of(response.headers, [](const auto& header) { return header.first == http::kElsewhere; });
}

// Whether a request that may have been carried out can be sent once more.
bool is_repeatable(const http::Request& request) {
  if (request.stream != nullptr) return false;
  return request.method == "GET" || request.method == "HEAD" || request.header("idempotency-key").has_value();
}

// The answer of the server at `address`; nothing when the request is to be sent again, there or elsewhere.
Awaitable<std::optional<http::Response>> hand_on(const http::Upstream& upstream, std::string address, http::Request& request) {
  auto answer = co_await upstream.send_on(std::move(address), request);
  if (answer && (request.stream != nullptr || !is_elsewhere(*answer))) co_return *std::move(answer);
  if (answer || answer.error().code == Code::unavailable || is_repeatable(request)) co_return std::nullopt;
  Error error{.code = Code::unavailable, .message = answer.error().message + ": look whether it was carried out before you send it again"};
  co_return http::problem_response(error, request.target);
}

// By this server, if it can be: always while it leads, else only where it does not take the one that does.
Awaitable<std::optional<http::Response>> answer_here(const http::Route& route, const Group& group, http::Request& request) {
  const bool leads = group.leads();
  if (!leads && !route.anywhere) co_return std::nullopt;
  auto response = co_await route.handler(request);
  if (!leads && is_elsewhere(response)) co_return std::nullopt;
  co_return response;
}

Awaitable<http::Response> answer(const http::Route& route, Group& group, const http::Upstream& upstream, http::Request& request) {
  const bool was_handed_on = request.header(kHandedOn).has_value();
  request.headers.emplace_back(kHandedOn, "1");
  for (auto until = SteadyClock::now() + kPatience; SteadyClock::now() < until && !group.is_stopped(); co_await group.changed(kLook)) {
    auto own = co_await answer_here(route, group, request);
    if (own) co_return *std::move(own);
    if (was_handed_on) co_return refuse_handed_on(request);
    auto leader = group.leader();
    if (leader.empty()) continue;
    auto response = co_await hand_on(upstream, std::move(leader), request);
    if (response) co_return *std::move(response);
  }
  Error nobody{.code = Code::unavailable, .message = "none of the servers leads now: try again"};
  co_return http::problem_response(nobody, request.target);
}

}  // namespace

void add_front_routes(http::Router& front, const http::Router& own, Group& group, const http::Upstream& upstream) {
  for (const auto& route : own.routes()) {
    auto added = route;
    added.handler = [&route, &group, &upstream](http::Request& request) { return answer(route, group, upstream, request); };
    front.add(std::move(added));
  }
}

}  // namespace lo::serve
