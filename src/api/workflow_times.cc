#include "api/workflow_times.h"

#include <algorithm>
#include <fmt/format.h>
#include <ranges>
#include <set>

#include "api/workflow_steps.h"
#include "engine/schedule.h"
#include "workflow/services.h"

namespace lo::api {
namespace {

constexpr std::size_t kMostTimes = 1000;

// What is made for a time, parents first.
Result<std::vector<std::string>> names_in_order(const workflow::Workflow& posted) {
  LO_ASSIGN(auto order, workflow::order_steps(posted));
  std::vector<std::string> names;
  for (auto index : order) {
    const auto& step = posted.steps[index];
    if (step.service != workflow::kEnvironment) names.insert(names.end(), step.makes.begin(), step.makes.end());
  }
  return names;
}

Awaitable<Result<workflow::Workflow>> load_posted(const Context& context, const http::Request& request) {
  auto record = co_await load_workflow(context, request.parameters.at("name"));
  if (!record) co_return std::unexpected(record.error());
  co_return posted_workflow(*record);
}

Result<WallTime> time_parameter(const http::Request& request, std::string_view name) {
  auto text = request.query_value(name);
  if (!text) return fail(Code::unacceptable, fmt::format("the parameter {} is missing: a time such as \"2026-01-31T00:00:00Z\"", name));
  return engine::parse_time(*text, fmt::format("/{}", name));
}

// At most kMostTimes and one more.
Result<std::vector<WallTime>> times_of(const workflow::Workflow& posted, const http::Request& request) {
  LO_ASSIGN(auto from, time_parameter(request, "from"));
  LO_ASSIGN(auto to, time_parameter(request, "to"));
  std::optional<engine::Schedule> schedule;
  if (posted.schedule) {
    LO_ASSIGN(schedule, engine::read_schedule(json::object{{"schedule", *posted.schedule}}));
  }
  if (!schedule || !schedule->cron)
    return fail(Code::unacceptable, fmt::format("the workflow \"{}\" has no schedule with cron", posted.name));
  return schedule->cron->between(from, to, kMostTimes + 1);
}

std::set<WallTime> finished_times(const StepRecord& record) {
  std::set<WallTime> times;
  for (const auto& revision : record.revisions)
    if (auto time = engine::scheduled_for(revision.facts); time && revision.state == State::finished) times.insert(*time);
  return times;
}

// For which times all of the steps have a result.
std::set<WallTime> finished_times(const std::vector<std::string>& names, const StoredSteps& stored) {
  std::optional<std::set<WallTime>> all;
  for (const auto& name : names) {
    auto record = stored.records.find(name);
    if (record == stored.records.end()) return {};
    auto of_step = finished_times(record->second);
    if (all)
      std::erase_if(*all, [&](WallTime time) { return !of_step.contains(time); });
    else
      all = std::move(of_step);
  }
  return all.value_or(std::set<WallTime>{});
}

Result<WallTime> read_body(const Context& context, const http::Request& request) {
  LO_ASSIGN(auto body, parse_json_object(request.body));
  for (const auto& member : body)
    if (member.key() != engine::kScheduledFor)
      return fail_field(Code::unacceptable, fmt::format("/{}", std::string_view(member.key())),
                        fmt::format("there is no member \"{}\"; there is: scheduledFor", std::string_view(member.key())));
  const auto* text = body.if_contains(engine::kScheduledFor);
  if (text == nullptr || !text->is_string())
    return fail_field(Code::unacceptable, "/scheduledFor", "scheduledFor must be a time such as \"2026-01-31T00:00:00Z\"");
  LO_ASSIGN(auto time, engine::parse_time(std::string_view(text->get_string()), "/scheduledFor"));
  if (time > context.clock->now())
    return fail_field(Code::unacceptable, "/scheduledFor", fmt::format("scheduledFor must be over, and {} is to come", format_time(time)));
  return time;
}

}  // namespace

Answer workflow_times(const Context& context, http::Request& request) {
  auto posted = co_await load_posted(context, request);
  if (!posted) co_return std::unexpected(posted.error());
  auto times = co_await context.pool->run([&] { return times_of(*posted, request); });
  if (!times) co_return std::unexpected(times.error());
  auto names = names_in_order(*posted);
  if (!names) co_return std::unexpected(names.error());
  std::vector<std::string> looked_up = *names;
  auto stored = co_await look_up(context, std::move(looked_up));
  if (!stored) co_return std::unexpected(stored.error());
  auto finished = finished_times(*names, *stored);
  json::array shown;
  for (auto time : *times | std::views::take(kMostTimes)) shown.push_back({{"time", format_time(time)}, {"finished", finished.contains(time)}});
  json::object answer{{"result", std::move(shown)}};
  if (times->size() > kMostTimes) answer["next"] = format_time(times->back());
  co_return http::json_response(200, answer);
}

Accepting rerun_workflow(const Context& context, const http::Request& request, const Ticket& ticket) {
  auto time = read_body(context, request);
  if (!time) co_return std::unexpected(time.error());
  if (auto room = context.check_room(); !room) co_return std::unexpected(room.error());
  auto posted = co_await load_posted(context, request);
  if (!posted) co_return std::unexpected(posted.error());
  auto names = names_in_order(*posted);
  if (!names) co_return std::unexpected(names.error());
  Acceptance acceptance{.status = 201,
                        .body = {{"result", fmt::format("{}/workflow/{}", kPrefix, posted->name)}, {"steps", json::value_from(*names)}},
                        .location = {},
                        .steps = *names};
  auto receipt = ticket.receipt(acceptance);
  auto done = co_await await_callback<Status>(
      [&](auto answer) { context.conductor->backfill(*names, *time, std::move(answer), std::move(receipt)); });
  if (!done) co_return std::unexpected(done.error());
  co_return acceptance;
}

}  // namespace lo::api
