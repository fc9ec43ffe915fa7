// POST and PATCH of the services that take a file: a JSON body, or the file itself as the body, streamed to disk.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/ownership.h"
#include "api/routes.h"
#include "api/upload.h"
#include "api/verbs.h"
#include "base/fault.h"
#include "engine/policy.h"
#include "store/digest.h"

namespace lo::api {
namespace {

constexpr std::size_t kJsonLimit = 16u << 20;

// Whether the body is a request, not a file.
bool is_json(const Service& service, const http::Request& request) {
  std::string type(request.header("content-type").value_or(""));
  return type.substr(0, type.find_first_of("; ")) == "application/json" && !(service.upload->takes_json && request.query_value(service.name_key));
}

// The body of a JSON request on a route that streams.
Awaitable<Result<json::object>> read_json(const http::Request& request, Ticket& ticket) {
  std::string body;
  std::array<char, 65536> buffer{};
  for (;;) {
    auto got = co_await request.stream->read(buffer);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    body.append(buffer.data(), *got);
    if (body.size() > kJsonLimit) co_return fail(Code::too_large, "a JSON body has at most 16 MB");
  }
  ticket.body_is(store::digest_of(body));
  auto object = parse_json_object(body);
  if (object && object->contains("upload"))
    co_return fail_field(Code::unacceptable, "/upload", "upload is no member: send the file itself as the body");
  co_return object;
}

// The query parameters of an upload as the body they stand for.
Result<json::object> body_from_query(const UploadForm& form, const http::Request& request) {
  json::object body;
  for (const auto& [name, value] : request.query) {
    if (name == "cascade") continue;
    if (std::ranges::find(form.texts, name) != form.texts.end()) {
      body[name] = value;
    } else if (name == "labels" || engine::is_policy_key(name) || std::ranges::find(form.values, name) != form.values.end()) {
      auto parsed = parse_json(value);
      body[name] = parsed ? *parsed : json::value(value);
    } else {
      return fail(Code::unacceptable, fmt::format("there is no parameter \"{}\" of an upload", name.substr(0, 140)));
    }
  }
  return body;
}

// Reads the upload into the store and gives the body with its digest. What is wrong with the rest is found before the bytes are read.
Awaitable<Result<json::object>> receive(const Context& context, const Service& service, json::object body,
                                        const http::Request& request, Ticket& ticket) {
  if (auto room = context.check_room(); !room) co_return std::unexpected(room.error());
  if (auto own = check_owner(body, request.user); !own) co_return std::unexpected(own.error());
  body["upload"] = json::object{{"digest", ""}, {"bytes", 0}};
  if (auto draft = service.read(body, context); !draft) co_return std::unexpected(draft.error());
  auto upload = co_await receive_upload(context, *request.stream);
  if (!upload) co_return std::unexpected(upload.error());
  std::ignore = fault_point("upload.received");
  ticket.body_is(string_or(*upload, "digest"));
  body["upload"] = std::move(*upload);
  co_return body;
}

Awaitable<Result<json::object>> body_of(const Context& context, const Service& service, json::object fixed,
                                        const http::Request& request, Ticket& ticket) {
  if (is_json(service, request)) co_return co_await read_json(request, ticket);
  auto body = body_from_query(*service.upload, request);
  if (!body) co_return std::unexpected(body.error());
  for (const auto& member : fixed) (*body)[member.key()] = member.value();
  co_return co_await receive(context, service, std::move(*body), request, ticket);
}

Accepting create_with_upload(const Context& context, const Service& service, const http::Request& request, Ticket& ticket) {
  if (!is_json(service, request)) {
    auto name = std::string(request.query_value(service.name_key).value_or(""));
    auto taken = co_await context.pool->run([&] { return context.catalog->find_step(name); });
    if (taken && *taken)
      co_return fail(Code::conflict, fmt::format("the name \"{}\" is taken by a {} step", name, (*taken)->service));
  }
  json::object nothing;
  auto body = co_await body_of(context, service, std::move(nothing), request, ticket);
  if (!body) co_return std::unexpected(body.error());
  auto accepted = co_await create(context, service, *body, request, ticket);
  co_await settle_upload(context, *body);
  co_return accepted;
}

Accepting patch_with_upload(const Context& context, const Service& service, const http::Request& request, Ticket& ticket) {
  auto name = request.parameters.at("name");
  json::object fixed;
  fixed[service.name_key] = name;
  auto body = co_await body_of(context, service, std::move(fixed), request, ticket);
  if (!body) co_return std::unexpected(body.error());
  auto accepted = co_await patch(context, service, name, *body, request, ticket);
  co_await settle_upload(context, *body);
  co_return accepted;
}

void add_uploading(http::Router& router, const Context& context, const Service& service) {
  auto types = service.upload->content_types;
  types.insert(types.begin(), "application/json");
  router.add({.method = "POST",
              .pattern = fmt::format("{}/{}", kPrefix, service.path),
              .handler = handler([&](http::Request& request) {
                return once(context, request, [&](Ticket& ticket) { return create_with_upload(context, service, request, ticket); });
              }),
              .streams_body = true,
              .content_types = types,
              .operation_id = "create " + service.path});
  router.add({.method = "PATCH",
              .pattern = fmt::format("{}/{}/{{name}}", kPrefix, service.path),
              .handler = handler([&](http::Request& request) {
                return once(context, request, [&](Ticket& ticket) { return patch_with_upload(context, service, request, ticket); });
              }),
              .streams_body = true,
              .content_types = types,
              .operation_id = "change " + service.path});
}

}  // namespace

void add_upload_routes(http::Router& router, const Context& context) {
  for (const auto& service : services())
    if (service.upload) add_uploading(router, context, service);
}

}  // namespace lo::api
