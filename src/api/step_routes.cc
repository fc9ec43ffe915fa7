// /step: all services in one list, one step with everything known of it, its log, cancel and rerun.
#include <algorithm>
#include <fmt/format.h>

#include "api/log_stream.h"
#include "api/result_files.h"
#include "api/routes.h"
#include "api/verbs.h"
#include "api/versions.h"
#include "http/etag.h"

namespace lo::api {
namespace {

struct ListFilter {
  catalog::StepFilter steps;
  std::optional<bool> stale;
};

Result<ListFilter> read_filter(const http::Request& request) {
  ListFilter filter;
  filter.steps.service = std::string(request.query_value("type").value_or(""));
  if (auto status = request.query_value("status")) {
    filter.steps.state = parse_state(*status);
    if (!filter.steps.state)
      return fail(Code::unacceptable, fmt::format("the parameter status is no state: \"{}\"", status->substr(0, 40)));
  }
  if (auto label = request.query_value("label")) {  // key=value
    auto equals = label->find('=');
    if (equals == std::string_view::npos || equals == 0)
      return fail(Code::unacceptable, fmt::format("the parameter label must be key=value, not \"{}\"", label->substr(0, 40)));
    filter.steps.label_key = label->substr(0, equals);
    filter.steps.label_value = label->substr(equals + 1);
  }
  if (request.query_value("stale")) filter.stale = flag(request, "stale");
  LO_ASSIGN(auto page, read_page_parameters(request, 1000));
  filter.steps.limit = page.limit;
  filter.steps.skip = page.skip;
  return filter;
}

Answer list_steps(const Context& context, http::Request& request) {
  auto filter = read_filter(request);
  if (!filter) co_return std::unexpected(filter.error());
  auto listed = co_await context.pool->run([&] { return read_listed(context, filter->steps); });
  if (!listed) co_return std::unexpected(listed.error());
  json::array documents;
  for (auto& record : listed->records) {
    if (auto known = co_await add_standing(context, record); !known) co_return std::unexpected(known.error());
    auto stale = record.standing && record.standing->stale;
    if (!filter->stale || *filter->stale == stale) documents.push_back(metadata_of(record));
  }
  auto response = result_response(200, std::move(documents));
  add_next_link(request, {.limit = filter->steps.limit, .skip = filter->steps.skip}, listed->found, response);
  co_return http::with_etag(request, std::move(response));
}

Answer show_step(const Context& context, http::Request& request) {
  auto record = co_await load_step(context, request.parameters.at("name"));
  if (!record) co_return std::unexpected(record.error());
  co_return with_step_etag(request, *record, result_response(200, step_view_of(*record)));
}

Answer cancel_step(const Context& context, http::Request& request) {
  auto name = request.parameters.at("name");
  auto status =
      co_await await_callback<Status>([&](auto done) { context.conductor->cancel(name, std::move(done), only_if(request)); });
  if (!status) co_return std::unexpected(status.error());
  co_return result_response(200, json::value("cancelled"));
}

Accepting make_again(const Context& context, const http::Request& request, const Ticket& ticket) {
  auto record = co_await load_step(context, request.parameters.at("name"));
  if (!record) co_return std::unexpected(record.error());
  if (auto room = context.check_room(); !room) co_return std::unexpected(room.error());
  Acceptance acceptance{.body = {{"result", documents_url(record->step.service, record->step.name)}}, .steps = {record->step.name}};
  auto cascade = flag(request, "cascade");
  auto accepted = co_await await_callback<Result<engine::Accepted>>([&](auto done) {
    context.conductor->rerun(record->step.name, cascade, std::move(done), only_if(request), ticket.receipt(acceptance));
  });
  if (!accepted) co_return std::unexpected(accepted.error());
  co_return acceptance;
}

Answer rerun_step(const Context& context, http::Request& request) {
  return once(context, request, [&](Ticket& ticket) { return make_again(context, request, ticket); });
}

Result<engine::Direction> read_direction(const http::Request& request) {
  auto text = request.query_value("direction").value_or("both");
  if (text == "up") return engine::Direction::up;
  if (text == "down") return engine::Direction::down;
  if (text == "both") return engine::Direction::both;
  return fail(Code::unacceptable, fmt::format("the parameter direction must be up, down or both, not \"{}\"", text.substr(0, 40)));
}

Answer show_lineage(const Context& context, http::Request& request) {
  auto name = request.parameters.at("name");
  auto direction = read_direction(request);
  if (!direction) co_return std::unexpected(direction.error());
  auto lineage = co_await await_callback<std::optional<engine::Lineage>>(
      [&](auto done) { context.conductor->lineage(name, *direction, std::move(done)); });
  if (!lineage) co_return fail(Code::not_found, fmt::format("there is no step \"{}\"", name));
  json::array nodes;
  for (const auto& node : lineage->nodes)
    nodes.push_back({{"name", node.name},
                     {"type", node.service},
                     {"revision", node.revision},
                     {"status", to_string(node.state)},
                     {"stale", node.stale.has_value()},
                     {"staleReason", node.stale ? json::value(*node.stale) : json::value(nullptr)}});
  json::array edges;
  for (const auto& edge : lineage->edges)
    edges.push_back({{"from", edge.from}, {"to", edge.to}, {"revision", edge.revision}, {"reference", edge.reference}});
  co_return http::with_etag(request, result_response(200, {{"name", name}, {"nodes", std::move(nodes)}, {"edges", std::move(edges)}}));
}

// The attempt that ?revision= and ?attempt= name, else the newest.
Result<LogPlace> find_log(const Context& context, const StepRecord& record, const http::Request& request) {
  LO_ASSIGN(auto revision, whole_number(request, "revision", 0));
  LO_ASSIGN(auto attempt, whole_number(request, "attempt", 0));
  LogPlace place{.key = record.newest().key, .attempt = 0, .path = {}};
  if (revision > 0) place.key.revision = static_cast<int>(revision);
  const auto* wanted = record.find(place.key.revision);
  if (wanted == nullptr)
    return fail(Code::not_found, fmt::format("\"{}\" has no revision {}", record.step.name, revision));
  place.attempt = attempt > 0 ? static_cast<int>(attempt) : std::max(1, wanted->attempts);
  place.path = context.log_path(place.key, place.attempt);
  return place;
}

Answer show_log(const Context& context, http::Request& request) {
  auto record = co_await load_step(context, request.parameters.at("name"));
  if (!record) co_return std::unexpected(record.error());
  auto place = find_log(context, *record, request);
  if (!place) co_return std::unexpected(place.error());
  if (flag(request, "follow")) co_return follow_log(context, *std::move(place));
  auto tag = co_await context.pool->run([&] { return log_tag(*place); });
  auto known = request.header("if-none-match");
  auto same = known && http::etag_matches(*known, tag, http::Comparison::weak);
  auto response = same ? http::Response{.status = 304} : log_response(context, *std::move(place));
  response.headers.emplace_back("ETag", "W/" + tag);  // of a file that grows
  co_return response;
}

}  // namespace

void add_step_routes(http::Router& router, const Context& context) {
  auto add = [&](std::string method, std::string_view rest, std::string id, Answer (*answer)(const Context&, http::Request&), bool anywhere = false) {
    router.add({.method = std::move(method),
                .pattern = fmt::format("{}/step{}", kPrefix, rest),
                .handler = handler([&context, answer](http::Request& request) { return answer(context, request); }),
                .operation_id = std::move(id),
                .anywhere = anywhere});
  };
  constexpr bool kAnywhere = true;
  add("GET", "", "list steps", list_steps, kAnywhere);
  add("GET", "/{name}", "get step", show_step, kAnywhere);
  add("GET", "/{name}/lineage", "get lineage", show_lineage);
  add("GET", "/{name}/log", "get log", show_log);
  add("GET", "/{name}/artifact", "get artifact",
      [](const Context& with, http::Request& request) { return artifact(with, request.parameters.at("name"), request); }, kAnywhere);
  add("POST", "/{name}/cancel", "cancel step", cancel_step);
  add("POST", "/{name}/rerun", "rerun step", rerun_step);
}

}  // namespace lo::api
