// The routes of the services that are made from a table (service.h), and of transform/dataType.
#include <fmt/format.h>

#include "api/profile_answer.h"
#include "api/requests.h"
#include "api/result_files.h"
#include "api/routes.h"
#include "api/verbs.h"
#include "api/versions.h"
#include "http/etag.h"

namespace lo::api {
namespace {

std::string route(std::string_view service, std::string_view rest = "") { return fmt::format("{}/{}{}", kPrefix, service, rest); }

Result<json::object> read_body(const http::Request& request) {
  LO_ASSIGN(auto body, parse_json_object(request.body));
  if (body.contains("upload"))
    return fail_field(Code::unacceptable, "/upload", "upload is no member of a body");
  return body;
}

void add_reading(http::Router& router, const Context& context, const Service& service) {
  router.add({.method = "GET",
              .pattern = route(service.path),
              .handler = handler([&](http::Request& request) { return list(context, service.path, request); }),
              .operation_id = fmt::format("list {}", service.path),
              .anywhere = true});
  auto is_picture = service.shown == Shown::picture;
  router.add({.method = "GET",
              .pattern = route(service.path, is_picture ? "/{name}/metadata" : "/{name}"),
              .handler = handler([&](http::Request& request) {
                return documents(context, service, request.parameters.at("name"), request);
              }),
              .operation_id = fmt::format("get {}", service.path),
              .anywhere = true});
  if (is_picture)
    router.add({.method = "GET",
                .pattern = route(service.path, "/{name}"),
                .handler = handler([&](http::Request& request) {
                  return picture(context, service, request.parameters.at("name"), request);
                }),
                .operation_id = fmt::format("show {}", service.path),
                .anywhere = true});
  router.add({.method = "GET",
              .pattern = route(service.path, "/{name}/profile"),
              .handler = handler([&](http::Request& request) {
                return profile(context, service, request.parameters.at("name"), request);
              }),
              .operation_id = fmt::format("profile {}", service.path),
              .anywhere = true});
  router.add({.method = "DELETE",
              .pattern = route(service.path, "/{name}"),
              .handler = handler([&](http::Request& request) {
                return remove(context, service.path, request.parameters.at("name"), request);
              }),
              .operation_id = fmt::format("delete {}", service.path)});
}

Accepting create_from(const Context& context, const Service& service, const http::Request& request, const Ticket& ticket) {
  auto body = read_body(request);
  if (!body) co_return std::unexpected(body.error());
  co_return co_await create(context, service, std::move(*body), request, ticket);
}

Accepting patch_from(const Context& context, const Service& service, const http::Request& request, const Ticket& ticket) {
  auto body = read_body(request);
  if (!body) co_return std::unexpected(body.error());
  co_return co_await patch(context, service, request.parameters.at("name"), std::move(*body), request, ticket);
}

void add_writing(http::Router& router, const Context& context, const Service& service) {
  router.add({.method = "POST",
              .pattern = route(service.path),
              .handler = handler([&](http::Request& request) {
                return once(context, request, [&](Ticket& ticket) { return create_from(context, service, request, ticket); });
              }),
              .operation_id = fmt::format("create {}", service.path)});
  if (service.has_patch)
    router.add({.method = "PATCH",
                .pattern = route(service.path, "/{name}"),
                .handler = handler([&](http::Request& request) {
                return once(context, request, [&](Ticket& ticket) { return patch_from(context, service, request, ticket); });
              }),
                .operation_id = fmt::format("change {}", service.path)});
}

// 200 with the dataset's URL, as in 2021.
Accepting change_types(const Context& context, const http::Request& request, const Ticket& ticket) {
  auto object = parse_json_object(request.body);
  if (!object) co_return std::unexpected(object.error());
  auto body = read_data_type(*object);
  if (!body) co_return std::unexpected(body.error());
  if (auto sound = co_await context.pool->run([&] { return check_data_type(*body, context); }); !sound)
    co_return std::unexpected(sound.error());
  auto record = co_await load_step(context, body->dataset);
  if (!record)
    co_return fail_field(Code::unacceptable, "/inputDatasetName", fmt::format("there is no step \"{}\"", body->dataset));
  auto revision = revise_by(*std::move(body));
  revision.only_if = only_if(request);
  co_return co_await revise(context, std::move(revision), record->step.service, 200, ticket);
}

// Deleting a dataset by way of dataType deletes the dataset, as in 2021.
Answer remove_typed(const Context& context, http::Request& request) {
  auto name = request.parameters.at("name");
  auto record = co_await load_step(context, name);
  if (!record) co_return std::unexpected(record.error());
  co_return co_await remove(context, record->step.service, name, request);
}

// Datasets that were typed in place.
Answer list_typed(const Context& context, http::Request& request) {
  auto page = read_page_parameters(request, 1000);
  if (!page) co_return std::unexpected(page.error());
  auto documents = co_await context.pool->run([&]() -> Result<json::array> {
    catalog::StepFilter filter;
    filter.typed_in_place = true;
    filter.limit = page->limit;
    filter.skip = page->skip;
    LO_ASSIGN(auto listed, read_listed(context, filter));
    json::array out;
    for (const auto& record : listed.records) out.push_back(metadata_of(record));
    return out;
  });
  if (!documents) co_return std::unexpected(documents.error());
  co_return http::with_etag(request, result_response(200, std::move(*documents)));
}

void add_data_type(http::Router& router, const Context& context) {
  router.add({.method = "PATCH",
              .pattern = route("transform/dataType"),
              .handler = handler([&](http::Request& request) {
                return once(context, request, [&](Ticket& ticket) { return change_types(context, request, ticket); });
              }),
              .operation_id = "change types"});
  router.add({.method = "GET",
              .pattern = route("transform/dataType"),
              .handler = handler([&](http::Request& request) { return list_typed(context, request); }),
              .operation_id = "list transform/dataType",
              .anywhere = true});
  router.add({.method = "GET",
              .pattern = route("transform/dataType", "/{name}"),
              .handler = handler([&](http::Request& request) {
                return documents(context, *find_service("dataset/csv"), request.parameters.at("name"), request);
              }),
              .operation_id = "get transform/dataType",
              .anywhere = true});
  router.add({.method = "GET",
              .pattern = route("transform/dataType", "/{name}/profile"),
              .handler = handler([&](http::Request& request) {
                return profile(context, *find_service("dataset/csv"), request.parameters.at("name"), request);
              }),
              .operation_id = "profile transform/dataType",
              .anywhere = true});
  router.add({.method = "DELETE",
              .pattern = route("transform/dataType", "/{name}"),
              .handler = handler([&](http::Request& request) { return remove_typed(context, request); }),
              .operation_id = "delete transform/dataType"});
}

}  // namespace

void add_service_routes(http::Router& router, const Context& context) {
  for (const auto& service : services()) {
    add_reading(router, context, service);
    if (!service.upload) add_writing(router, context, service);  // the others: upload_routes.cc
  }
  add_data_type(router, context);
}

void add_routes(http::Router& router, const Context& context) {
  add_service_routes(router, context);
  add_upload_routes(router, context);
  add_step_routes(router, context);
  add_workflow_routes(router, context);
  add_observe_routes(router, context);
  add_housekeeping_routes(router, context);
  add_system_routes(router, context);
}

}  // namespace lo::api
