// What the route files share: answers, query parameters, reading a step with its standing.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "api/metadata.h"
#include "http/router.h"

namespace lo::api {

// {"result": …}
http::Response result_response(unsigned status, json::value result);

// Runs `work`, which gives Result<http::Response>, and turns an error into its problem document.
template <class Work>
http::Handler handler(Work work) {
  return [work = std::move(work)](http::Request& request) -> Awaitable<http::Response> {
    Result<http::Response> response = co_await work(request);
    if (!response) co_return http::problem_response(response.error(), request.path);
    co_return *std::move(response);
  };
}

// A whole number ≥ 0 of the query string. Code::unacceptable naming the parameter.
Result<std::int64_t> whole_number(const http::Request& request, std::string_view name, std::int64_t fallback);
std::vector<std::string> named_fields(const http::Request& request);  // fields=a,b
bool flag(const http::Request& request, std::string_view name);  // "true" or "1"

// limit (default `fallback`, at most 1000, a larger one is brought down) and skip.
struct Page {
  std::int64_t limit = 20;
  std::int64_t skip = 0;
};
Result<Page> read_page_parameters(const http::Request& request, std::int64_t fallback);

// "/api/learningOrchestra/v1/<service>/<name>?query={}&limit=20&skip=0"
std::string documents_url(std::string_view service, std::string_view name);

// Whether this is one of several servers and another one leads.
bool is_following(const Context& context);

// Adds what the engine knows of it. Code::elsewhere where this server does not know, and another one leads.
Awaitable<Status> add_standing(const Context& context, StepRecord& record);

// The step with what the engine knows of it, read on the pool.
Awaitable<Result<StepRecord>> load_step(const Context& context, std::string name);

// The steps of a list. Blocks. Whatever was deleted meanwhile is left out.
struct ListedSteps {
  std::vector<StepRecord> records;
  std::size_t found = 0;  // with those
};
Result<ListedSteps> read_listed(const Context& context, const catalog::StepFilter& filter);

// Link: <…skip=…>; rel="next" when a list may go on.
void add_next_link(const http::Request& request, const Page& page, std::size_t shown, http::Response& response);

// Prefer: wait=N (RFC 7240): how long the client would wait, at most 300 s; nothing without it.
std::optional<std::chrono::milliseconds> preferred_wait(const http::Request& request);

// Preference-Applied: wait=N
void add_applied_wait(std::chrono::milliseconds wait, http::Response& response);

// Waits until the newest revision of every name has ended, or `most` is over.
Awaitable<void> wait_until_ended(const Context& context, std::vector<std::string> names, std::chrono::milliseconds most);

}  // namespace lo::api
