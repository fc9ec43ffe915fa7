// /health, /ready, /metrics, /openapi.json
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "api/openapi.h"
#include "api/routes.h"
#include "api/verbs.h"
#include "http/etag.h"

namespace lo::api {
namespace {

Answer health(const Context&, http::Request&) {
  co_return http::json_response(200, json::object{{"status", "ok"}});
}

bool any_broken(const json::object& runners) {
  return std::ranges::any_of(runners, [](const auto& runner) {
    return runner.value().is_object() && string_or(runner.value().as_object(), "state") == "broken";
  });
}

http::Response tell(bool well, const json::object& body) {
  auto response = http::json_response(well ? 200 : 503, body);
  if (!well) response.headers.emplace_back("Retry-After", "5");
  return response;
}

// A server that does not lead can serve while there is one that does.
http::Response ready_to_follow(const std::string& leader) {
  json::object body{{"status", leader.empty() ? "not ready" : "ready"}, {"role", "follower"}};
  if (!leader.empty()) body["leader"] = leader;
  return tell(!leader.empty(), body);
}

Answer ready(const Context& context, http::Request&) {
  if (context.follows)
    if (auto leader = context.follows()) co_return ready_to_follow(*leader);
  auto load = co_await await_callback<engine::Conductor::Load>([&](auto done) { context.conductor->load(std::move(done)); });
  auto runners = context.runners();
  auto well = load.writable && !any_broken(runners);
  json::object body{{"status", well ? "ready" : "not ready"},
                    {"catalog", load.writable ? "ok" : "takes no writes"},
                    {"runners", std::move(runners)},
                    {"running", load.running},
                    {"queued", load.queued}};
  if (context.follows) body["role"] = "leader";
  co_return tell(well, body);
}

Answer metrics(const Context& context, http::Request&) {
  auto text = prometheus::TextSerializer().Serialize(context.metrics->Collect());
  co_return http::text_response(200, "text/plain; version=0.0.4; charset=utf-8", std::move(text));
}

}  // namespace

void add_system_routes(http::Router& router, const Context& context) {
  auto add = [&](std::string pattern, std::string id, Answer (*answer)(const Context&, http::Request&), bool open = false) {
    router.add({.method = "GET",
                .pattern = std::move(pattern),
                .handler = handler([&context, answer](http::Request& request) { return answer(context, request); }),
                .operation_id = std::move(id),
                .open = open,
                .anywhere = true});
  };
  add("/health", "health", health, true);
  add("/ready", "ready", ready, true);
  add("/metrics", "metrics", metrics);
  router.add({.method = "GET",
              .pattern = "/openapi.json",
              .handler = handler([&router](http::Request& request) -> Answer {
                co_return http::with_etag(request, http::json_response(200, openapi_document(router)));
              }),
              .operation_id = "openapi",
              .anywhere = true});
}

}  // namespace lo::api
