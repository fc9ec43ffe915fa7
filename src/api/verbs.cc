#include "api/verbs.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/artifacts.h"
#include "api/ownership.h"
#include "api/requests.h"
#include "api/rows_answer.h"
#include "api/versions.h"
#include "base/log.h"
#include "http/etag.h"

namespace lo::api {
namespace {

Awaitable<Status> check(const Context& context, const Service& service, Draft& draft) {
  if (!needs_check(service, draft)) co_return Status{};
  co_return co_await context.pool->run([&] { return check_draft(context, service, draft); });
}

Result<std::vector<json::object>> read_list(const Context& context, const std::string& service, const Page& page) {
  catalog::StepFilter filter;
  filter.service = service;
  filter.limit = page.limit;
  filter.skip = page.skip;
  LO_ASSIGN(auto listed, read_listed(context, filter));
  std::vector<json::object> documents;
  for (const auto& record : listed.records) documents.push_back(metadata_of(record));
  return documents;
}

}  // namespace

Accepting create(const Context& context, const Service& service, json::object body, const http::Request& request, const Ticket& ticket) {
  if (auto room = context.check_room(); !room) co_return std::unexpected(room.error());
  if (auto own = set_owner(body, request.user); !own) co_return std::unexpected(own.error());
  auto draft = service.read(body, context);
  if (!draft) co_return std::unexpected(draft.error());
  if (auto sound = co_await check(context, service, *draft); !sound) co_return std::unexpected(sound.error());
  Acceptance acceptance;
  json::array urls;
  for (const auto& step : draft->steps) {
    urls.emplace_back(documents_url(service.path, step.name));
    acceptance.steps.push_back(step.name);
  }
  acceptance.body["result"] = body.contains("classifiersList") ? json::value(urls) : urls.front();
  acceptance.location = fmt::format("{}/{}/{}", kPrefix, service.path, acceptance.steps.front());
  auto accepted = co_await submit(context, std::move(*draft), ticket.receipt(acceptance));
  if (!accepted) co_return std::unexpected(accepted.error());
  co_return acceptance;
}

Accepting revise(const Context& context, engine::Revise revision, std::string_view service, unsigned status, const Ticket& ticket) {
  if (auto room = context.check_room(); !room) co_return std::unexpected(room.error());
  Acceptance acceptance{.status = status, .body = {{"result", documents_url(service, revision.name)}}, .steps = {revision.name}};
  revision.receipt = ticket.receipt(acceptance);
  auto accepted = co_await revise(context, std::move(revision));
  if (!accepted) co_return std::unexpected(accepted.error());
  co_return acceptance;
}

Accepting patch(const Context& context, const Service& service, std::string name, json::object change, const http::Request& request,
                const Ticket& ticket) {
  if (auto own = check_owner(change, request.user); !own) co_return std::unexpected(own.error());
  auto record = co_await load_step(context, name);
  if (!record) co_return std::unexpected(record.error());
  auto draft = changed_draft(context, service, *record, std::move(change));
  if (!draft) co_return std::unexpected(draft.error());
  if (auto sound = co_await check(context, service, *draft); !sound) co_return std::unexpected(sound.error());
  auto revision = revise_by(service, std::move(*draft));
  revision.cascade = flag(request, "cascade");
  revision.only_if = only_if(request);
  co_return co_await revise(context, std::move(revision), service.path, 201, ticket);
}

Answer list(const Context& context, std::string service, const http::Request& request) {
  auto page = read_page_parameters(request, 1000);
  if (!page) co_return std::unexpected(page.error());
  auto documents = co_await context.pool->run([&] { return read_list(context, service, *page); });
  if (!documents) co_return std::unexpected(documents.error());
  auto shown = documents->size();
  auto response = result_response(200, json::value_from(std::move(*documents)));
  add_next_link(request, *page, shown, response);
  co_return http::with_etag(request, std::move(response));
}

Answer documents(const Context& context, const Service& service, std::string name, const http::Request& request) {
  auto page = read_page_parameters(request, 20);
  if (!page) co_return std::unexpected(page.error());
  auto revision = whole_number(request, "revision", 0);
  if (!revision) co_return std::unexpected(revision.error());
  DocumentQuery query{.query = std::string(request.query_value("query").value_or("")), .page = *page, .revision = {}, .shown = service.shown};
  query.fields = named_fields(request);
  query.sort = request.query_value("sort").value_or("");
  query.count = flag(request, "count");
  if (*revision > 0) query.revision = static_cast<int>(*revision);
  auto record = co_await load_step(context, name);
  if (!record) co_return std::unexpected(record.error());
  if (record->step.service != service.path && service.path != "dataset/csv")  // which shows any table, as in 2021
    co_return fail(Code::not_found, fmt::format("there is no {} \"{}\"", service.path, name));
  auto format = query.shown == Shown::rows ? accepted_rows(request) : std::nullopt;
  if (format && !query.sort.empty()) co_return fail_field(Code::unacceptable, "sort", "whole datasets come in the order of their rows");
  if (format) co_return co_await answer_with_rows(context, *record, query, *format);
  auto documents = co_await context.pool->run([&] { return documents_of(context, *record, query); });
  if (!documents) co_return std::unexpected(documents.error());
  auto shown = documents->shown.size();
  json::object answer{{"result", std::move(documents->shown)}};
  if (documents->count) answer["count"] = *documents->count;
  auto response = http::json_response(200, answer);
  if (query.shown == Shown::rows) response.headers.emplace_back("Vary", "Accept");
  add_next_link(request, *page, shown, response);
  co_return with_step_etag(request, *record, std::move(response));
}

Answer remove(const Context& context, std::string service, std::string name, const http::Request& request) {
  auto removed = co_await await_callback<Result<engine::Removed>>([&](auto done) {
    context.conductor->remove(name, service, flag(request, "cascade"), std::move(done), only_if(request));
  });
  if (!removed) co_return std::unexpected(removed.error());
  auto freed = co_await collect_garbage(context);
  if (!freed) log::warn("api: files of deleted steps are left for the next time: {}", freed.error().message);
  json::array names;
  for (const auto& step : removed->steps) names.emplace_back(step.name);
  json::object body{{"result", "deleted file"}, {"bytesFreed", freed.value_or(0)}, {"deleted", std::move(names)}};
  co_return http::json_response(200, body);
}

}  // namespace lo::api
