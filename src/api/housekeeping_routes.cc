// /gc: what is no longer needed goes, or is told. /usage: who used how much.
#include <fmt/format.h>

#include "api/housekeeping.h"
#include "api/routes.h"
#include "api/verbs.h"
#include "http/etag.h"

namespace lo::api {
namespace {

json::object shown(const SweptFiles& files) { return {{"count", files.count}, {"bytes", files.bytes}}; }

Answer collect(const Context& context, http::Request& request) {
  auto dry_run = flag(request, "dryRun");
  auto swept = co_await sweep(context, dry_run);
  if (!swept) co_return std::unexpected(swept.error());
  json::array revisions;
  for (const auto& revision : swept->revisions) revisions.emplace_back(fmt::format("{}@{}", revision.name, revision.key.revision));
  co_return result_response(200, {{"dryRun", dry_run},
                                  {"revisions", std::move(revisions)},
                                  {"objects", shown(swept->objects)},
                                  {"logs", shown(swept->logs)},
                                  {"events", swept->events},
                                  {"bytes", swept->objects.bytes + swept->logs.bytes}});
}

json::object shown(const catalog::Usage& usage) {
  return {{"value", usage.value.empty() ? json::value(nullptr) : json::value(usage.value)},
          {"steps", usage.steps},
          {"revisions", usage.revisions},
          {"attempts", usage.attempts},
          {"cpuSeconds", usage.cpu_seconds},
          {"peakMemory", usage.peak_memory},
          {"bytes", usage.bytes}};
}

Answer usage(const Context& context, http::Request& request) {
  std::string label(request.query_value("label").value_or("owner"));
  auto used = co_await context.pool->run([&] { return context.catalog->usage(label); });
  if (!used) co_return std::unexpected(used.error());
  json::array rows;
  for (const auto& one : *used) rows.push_back(shown(one));
  json::object body{{"result", std::move(rows)}, {"label", label}};
  co_return http::with_etag(request, http::json_response(200, body));
}

}  // namespace

void add_housekeeping_routes(http::Router& router, const Context& context) {
  router.add({.method = "POST",
              .pattern = fmt::format("{}/gc", kPrefix),
              .handler = handler([&](http::Request& request) { return collect(context, request); }),
              .operation_id = "collect garbage"});
  router.add({.method = "GET",
              .pattern = fmt::format("{}/usage", kPrefix),
              .handler = handler([&](http::Request& request) { return usage(context, request); }),
              .operation_id = "usage",
              .anywhere = true});
}

}  // namespace lo::api
