#include "api/handlers.h"

#include <algorithm>
#include <boost/url/url.hpp>
#include <charconv>
#include <fmt/format.h>
#include <ranges>

namespace lo::api {

http::Response result_response(unsigned status, json::value result) {
  json::object body;
  body["result"] = std::move(result);
  return http::json_response(status, body);
}

Result<std::int64_t> whole_number(const http::Request& request, std::string_view name, std::int64_t fallback) {
  auto text = request.query_value(name);
  if (!text) return fallback;
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size() || number < 0)
    return fail(Code::unacceptable,
                fmt::format("the parameter {} must be a whole number from 0, not \"{}\"", name, text->substr(0, 40)));
  return number;
}

bool flag(const http::Request& request, std::string_view name) {
  auto text = request.query_value(name);
  return text == "true" || text == "1";
}

std::vector<std::string> named_fields(const http::Request& request) {
  std::vector<std::string> names;
  if (auto fields = request.query_value("fields"))
    for (auto field : std::views::split(std::string_view(*fields), ',')) names.emplace_back(field.begin(), field.end());
  return names;
}

Result<Page> read_page_parameters(const http::Request& request, std::int64_t fallback) {
  constexpr std::int64_t kMost = 1000;
  Page page;
  LO_ASSIGN(page.limit, whole_number(request, "limit", fallback));
  LO_ASSIGN(page.skip, whole_number(request, "skip", 0));
  page.limit = std::min(page.limit, kMost);
  return page;
}

std::string documents_url(std::string_view service, std::string_view name) {
  return fmt::format("{}/{}/{}?query={{}}&limit=20&skip=0", kPrefix, service, name);
}

namespace {

// What is said of another version of the step is old, or new: a server that does not lead hears of both parts on different ways.
bool is_of(const engine::Standing& standing, const StepRecord& record) {
  const auto& newest = record.newest();
  return standing.of == engine::Version{.step = record.step.id, .revision = newest.key.revision, .state = newest.state};
}

}  // namespace

bool is_following(const Context& context) { return context.follows && context.follows(); }

Awaitable<Status> add_standing(const Context& context, StepRecord& record) {
  const bool follows = is_following(context);
  record.standing = co_await await_callback<std::optional<engine::Standing>>(
      [&](Callback<std::optional<engine::Standing>> done) { context.standing(record.step.name, std::move(done)); });
  if (!follows || (record.standing && is_of(*record.standing, record))) co_return Status();
  co_return fail(Code::elsewhere, "only the server that leads can say how this step is: try again");
}

Awaitable<Result<StepRecord>> load_step(const Context& context, std::string name) {
  auto record = co_await context.pool->run([&context, &name] { return read_step(context, name); });
  if (!record) co_return record;
  if (auto known = co_await add_standing(context, *record); !known) co_return std::unexpected(known.error());
  co_return record;
}

Result<ListedSteps> read_listed(const Context& context, const catalog::StepFilter& filter) {
  LO_ASSIGN(auto steps, context.catalog->list_steps(filter));
  ListedSteps listed{.records = {}, .found = steps.size()};
  for (auto& step : steps)
    if (auto record = read_step(context, std::move(step))) listed.records.push_back(*std::move(record));
  return listed;
}

void add_next_link(const http::Request& request, const Page& page, std::size_t shown, http::Response& response) {
  if (static_cast<std::int64_t>(shown) < page.limit || page.limit == 0) return;
  boost::urls::url next;
  next.set_path(request.path);
  for (const auto& [name, value] : request.query)
    if (name != "limit" && name != "skip") next.params().append({name, value});
  next.params().append({"limit", fmt::to_string(page.limit)});
  next.params().append({"skip", fmt::to_string(page.skip + page.limit)});
  response.headers.emplace_back("Link", fmt::format("<{}>; rel=\"next\"", std::string_view(next.buffer())));
}

std::optional<std::chrono::milliseconds> preferred_wait(const http::Request& request) {
  constexpr int kMost = 300;
  auto prefer = request.header("prefer");
  if (!prefer) return std::nullopt;
  auto at = prefer->find("wait=");
  if (at == std::string_view::npos) return std::nullopt;
  auto digits = prefer->substr(at + 5);
  int seconds = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), seconds).ec != std::errc{} || seconds < 0)
    return std::nullopt;
  return std::chrono::seconds{std::min(seconds, kMost)};
}

void add_applied_wait(std::chrono::milliseconds wait, http::Response& response) {
  response.headers.emplace_back("Preference-Applied", fmt::format("wait={}", wait.count() / 1000));
}

namespace {

// Blocks.
bool all_ended(const Context& context, const std::vector<std::string>& names) {
  return std::ranges::all_of(names, [&](const std::string& name) {
    auto record = read_step(context, name);
    return !record || is_terminal(record->newest().state);
  });
}

bool is_end(const catalog::Event& event) {
  const auto* finished = event.data.if_contains("finished");
  return finished != nullptr && finished->is_bool() && finished->get_bool();
}

// Moves `seen` on over what is known to be no end of any of the names; false when one of them may have ended.
bool none_ended(const observe::Hub& hub, const std::vector<std::string>& names, std::int64_t& seen) {
  constexpr std::size_t kMost = 64;
  auto looked_at = hub.last();
  for (const auto& name : names) {
    auto news = hub.after(seen, {.name = name}, kMost);
    if (!news || std::ranges::any_of(news->events, [](const auto& told) { return is_end(told->event); })) return false;
    looked_at = std::min(looked_at, news->seen);
  }
  seen = looked_at;
  return true;
}

}  // namespace

Awaitable<void> wait_until_ended(const Context& context, std::vector<std::string> names, std::chrono::milliseconds most) {
  auto until = context.clock->steady() + most;
  for (;;) {
    auto seen = context.hub->last();
    if (co_await context.pool->run([&] { return all_ended(context, names); })) co_return;
    do {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - context.clock->steady());
      if (left.count() <= 0 || !co_await context.hub->changed(seen, left)) co_return;
    } while (none_ended(*context.hub, names, seen));
  }
}

}  // namespace lo::api
