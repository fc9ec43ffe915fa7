// /workflow: many steps as one document.
#include <fmt/format.h>

#include "api/routes.h"
#include "api/workflow_post.h"
#include "api/workflow_removal.h"
#include "api/workflow_steps.h"
#include "api/workflow_times.h"
#include "http/etag.h"
#include "workflow/export.h"
#include "workflow/yaml_writer.h"

namespace lo::api {
namespace {

Answer post(const Context& context, http::Request& request) {
  return once(context, request, [&](const Ticket& ticket) { return post_workflow(context, request, ticket); });
}

Answer rerun(const Context& context, http::Request& request) {
  return once(context, request, [&](const Ticket& ticket) { return rerun_workflow(context, request, ticket); });
}

Answer list_workflows(const Context& context, http::Request& request) {
  auto page = read_page_parameters(request, 1000);
  if (!page) co_return std::unexpected(page.error());
  auto records = co_await context.pool->run([&] { return context.catalog->list_workflows(page->limit, page->skip); });
  if (!records) co_return std::unexpected(records.error());
  json::array shown;
  for (const auto& record : *records) shown.push_back(workflow_summary(record));
  auto count = shown.size();
  auto response = result_response(200, std::move(shown));
  add_next_link(request, *page, count, response);
  co_return http::with_etag(request, std::move(response));
}

// A workflow with all that is known of its steps.
struct Found {
  catalog::Workflow record;
  workflow::Workflow posted;
  StoredSteps steps;
};

Awaitable<Result<Found>> find(const Context& context, const http::Request& request) {
  auto record = co_await load_workflow(context, request.parameters.at("name"));
  if (!record) co_return std::unexpected(record.error());
  auto posted = posted_workflow(*record);
  if (!posted) co_return std::unexpected(posted.error());
  auto names = workflow::names_of(*posted);
  names.insert(names.end(), record->steps.begin(), record->steps.end());
  auto steps = co_await look_up(context, std::move(names));
  if (!steps) co_return std::unexpected(steps.error());
  Found found{.record = *std::move(record), .posted = *std::move(posted), .steps = *std::move(steps)};
  co_return found;
}

Answer show_workflow(const Context& context, http::Request& request) {
  auto found = co_await find(context, request);
  if (!found) co_return std::unexpected(found.error());
  co_return http::with_etag(request, result_response(200, workflow_view(found->record, found->posted, found->steps)));
}

Result<bool> wants_json(const http::Request& request) {
  auto format = request.query_value("format");
  if (!format) return request.header("accept").value_or("").starts_with("application/json");
  if (format == "json" || format == "yaml") return format == "json";
  return fail(Code::unacceptable, fmt::format("the parameter format must be yaml or json, not \"{}\"", format->substr(0, 40)));
}

// With tokens the owner is whose token a file comes back with: not who made its steps.
void leave_owners_out(workflow::Stored& views) {
  for (auto& [name, view] : views) {
    auto* labels = view.all.if_contains("labels");
    if (labels == nullptr || !labels->is_object()) continue;
    labels->get_object().erase("owner");
    if (labels->get_object().empty()) view.all.erase("labels");
  }
}

Answer export_workflow(const Context& context, http::Request& request) {
  auto as_json = wants_json(request);
  if (!as_json) co_return std::unexpected(as_json.error());
  auto found = co_await find(context, request);
  if (!found) co_return std::unexpected(found.error());
  if (!request.user.empty()) leave_owners_out(found->steps.views);
  auto document = workflow::export_workflow(found->posted, found->steps.views);
  if (!document) co_return std::unexpected(document.error());
  auto response = *as_json ? http::json_response(200, *document)
                           : http::text_response(200, "application/yaml", workflow::write_yaml(*document));
  response.headers.emplace_back("Vary", "Accept");
  co_return http::with_etag(request, std::move(response));
}

Answer delete_workflow(const Context& context, http::Request& request) {
  auto record = co_await load_workflow(context, request.parameters.at("name"));
  if (!record) co_return std::unexpected(record.error());
  Removal removal;
  if (flag(request, "cascade")) {
    auto removed = co_await remove_steps(context, record->steps, record->name);
    if (!removed) co_return std::unexpected(removed.error());
    removal = *std::move(removed);
  }
  catalog::Batch batch;
  batch.emplace_back(catalog::RemoveWorkflow{record->name});
  auto saved = co_await await_callback<Status>([&](auto done) { context.catalog->commit(std::move(batch), std::move(done)); });
  if (!saved) co_return std::unexpected(saved.error());
  json::array kept;
  for (const auto& step : removal.kept) kept.push_back({{"name", step.name}, {"reason", step.why}});
  json::object body{{"result", "deleted workflow"}, {"deleted", json::value_from(removal.removed)}, {"kept", std::move(kept)}};
  co_return http::json_response(200, body);
}

}  // namespace

void add_workflow_routes(http::Router& router, const Context& context) {
  auto add = [&](std::string method, std::string_view rest, std::string id, Answer (*answer)(const Context&, http::Request&),
                 std::vector<std::string> types = {"application/json"}) {
    router.add({.method = std::move(method),
                .pattern = fmt::format("{}/workflow{}", kPrefix, rest),
                .handler = handler([&context, answer](http::Request& request) { return answer(context, request); }),
                .content_types = std::move(types),
                .operation_id = std::move(id)});
  };
  add("POST", "", "post workflow", post, {"application/json", "application/yaml", "text/yaml", "application/x-yaml"});
  add("GET", "", "list workflows", list_workflows);
  add("GET", "/{name}", "get workflow", show_workflow);
  add("GET", "/{name}/export", "export workflow", export_workflow);
  add("GET", "/{name}/times", "list workflow times", workflow_times);
  add("POST", "/{name}/rerun", "rerun workflow", rerun);
  add("DELETE", "/{name}", "delete workflow", delete_workflow);
}

}  // namespace lo::api
