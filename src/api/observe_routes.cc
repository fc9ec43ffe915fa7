// /observe: subscriptions, long poll, and the stream of all events.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "api/fields.h"
#include "api/routes.h"
#include "api/verbs.h"
#include "api/webhooks.h"
#include "http/etag.h"
#include "http/sse.h"
#include "observe/event_document.h"

namespace lo::api {
namespace {

constexpr std::chrono::seconds kComment{15};
constexpr std::chrono::milliseconds kRetry{1000};
constexpr std::size_t kBatch = 256;

using observe::event_document;

Accepting add_subscription(const Context& context, const http::Request& request, const Ticket& ticket) {
  auto body = parse_json_object(request.body);
  if (!body) co_return std::unexpected(body.error());
  Fields fields(*body, Fields::Of::something_else);
  if (fields.has("webhook")) co_return co_await add_webhook(context, *body, ticket);
  auto name = fields.name("name");
  for (auto key : {"filter", "secret"})
    if (fields.has(key)) fields.refuse(key, fmt::format("{} goes with a webhook", key));
  for (auto key : {"webhook", "filter", "secret"}) fields.accept(key);
  if (auto sound = fields.finish(); !sound) co_return std::unexpected(sound.error());
  if (auto record = co_await load_step(context, name); !record)
    co_return fail_field(Code::unacceptable, "/name", fmt::format("there is no step \"{}\"", name));
  auto url = fmt::format("{}/observe/{}", kPrefix, name);
  Acceptance acceptance{.body = {{"result", url}}, .location = url, .steps = {name}};
  catalog::Batch batch;
  batch.emplace_back(catalog::PutSubscription{{.name = name, .created = context.clock->now(), .options = {}}});
  if (auto receipt = ticket.receipt(acceptance)) batch.emplace_back(catalog::PutReceipt{*std::move(receipt)});
  auto saved =
      co_await await_callback<Status>([&](auto done) { context.catalog->commit(std::move(batch), std::move(done)); });
  if (!saved) co_return std::unexpected(saved.error());
  co_return acceptance;
}

Answer subscribe(const Context& context, http::Request& request) {
  return once(context, request, [&](Ticket& ticket) { return add_subscription(context, request, ticket); });
}

Answer unsubscribe(const Context& context, http::Request& request) {
  auto name = request.parameters.at("name");
  if (observe::is_webhook_id(name)) co_return co_await remove_webhook(context, name);
  auto subscriptions = co_await context.pool->run([&] { return context.catalog->subscriptions(); });
  if (!subscriptions) co_return std::unexpected(subscriptions.error());
  if (std::ranges::find(*subscriptions, name, &catalog::Subscription::name) == subscriptions->end())
    co_return fail(Code::not_found, fmt::format("\"{}\" is not observed", name));
  catalog::Batch batch;
  batch.emplace_back(catalog::RemoveSubscription{name});
  auto saved =
      co_await await_callback<Status>([&](auto done) { context.catalog->commit(std::move(batch), std::move(done)); });
  if (!saved) co_return std::unexpected(saved.error());
  co_return result_response(200, "deleted subscription");
}

Answer list_subscriptions(const Context& context, http::Request& request) {
  auto subscriptions = co_await context.pool->run([&] { return context.catalog->subscriptions(); });
  if (!subscriptions) co_return std::unexpected(subscriptions.error());
  json::array documents;
  for (const auto& subscription : *subscriptions) {
    if (auto webhook = observe::webhook_of(subscription)) {
      documents.push_back(webhook_document(*webhook));
      continue;
    }
    json::object document{{"name", subscription.name}, {"created", format_time(subscription.created)}};
    if (auto record = co_await load_step(context, subscription.name)) document["metadata"] = metadata_of(*record);
    documents.push_back(std::move(document));
  }
  co_return http::with_etag(request, result_response(200, std::move(documents)));
}

// The next events of a name after `seq`, waiting for one at most `most`. Empty when there was none.
Awaitable<Result<std::vector<catalog::Event>>> next_events(const Context& context, std::string name, std::int64_t seq,
                                                           std::chrono::milliseconds most) {
  catalog::EventFilter filter;
  filter.name = std::move(name);
  auto until = context.clock->steady() + most;
  for (;;) {
    auto last = context.hub->last();
    auto events = co_await context.pool->run([&] { return context.catalog->events_after(seq, filter, kBatch); });
    if (!events || !events->empty()) co_return events;
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - context.clock->steady());
    if (left.count() <= 0 || !co_await context.hub->changed(last, left)) co_return events;
  }
}

// Long poll, for ?wait or else for what Prefer says. Without ?after: answers when the step has ended or `wait` is over. With it: at the next event after that id.
Answer observe_step(const Context& context, http::Request& request) {
  constexpr std::int64_t kLongest = 300;
  auto name = request.parameters.at("name");
  if (observe::is_webhook_id(name)) co_return co_await show_webhook(context, name, request);
  auto wait = whole_number(request, "wait", 0);
  auto after = whole_number(request, "after", -1);
  if (!wait || !after) co_return std::unexpected((wait ? after : wait).error());
  if (auto record = co_await load_step(context, name); !record) co_return std::unexpected(record.error());
  auto preferred = request.query_value("wait") ? std::nullopt : preferred_wait(request);
  auto most = preferred.value_or(std::chrono::seconds{std::min(*wait, kLongest)});
  json::array events;
  std::int64_t told = 0;
  if (*after < 0) {
    std::vector<std::string> names{name};
    co_await wait_until_ended(context, std::move(names), most);
  } else {
    auto news = co_await next_events(context, name, *after, most);
    if (!news) co_return std::unexpected(news.error());
    for (const auto& event : *news) events.push_back(event_document(event));
    if (!news->empty()) told = news->back().seq;
  }
  auto last = std::max(told, context.hub->last());  // of several servers, one may have read what it has not heard yet
  auto record = co_await load_step(context, name);
  if (!record) co_return std::unexpected(record.error());
  json::object body{{"result", metadata_of(*record)}, {"events", std::move(events)}, {"last", last}};
  auto response = http::json_response(200, body);
  if (preferred) add_applied_wait(*preferred, response);
  co_return http::with_etag(request, std::move(response));
}

catalog::EventFilter filter_of(const http::Request& request) {
  catalog::EventFilter filter;
  filter.name = request.query_value("name").value_or("");
  filter.service = request.query_value("type").value_or("");
  if (auto label = request.query_value("label")) set_label(filter, *label);
  return filter;
}

// Where a stream begins: after Last-Event-ID, or with what happens from now on.
Result<std::int64_t> start_of(const Context& context, const http::Request& request) {
  auto id = request.header("last-event-id");
  if (!id) return context.hub->last();
  std::int64_t seq = 0;
  auto [end, error] = std::from_chars(id->data(), id->data() + id->size(), seq);
  if (error != std::errc{} || end != id->data() + id->size() || seq < 0)
    return fail(Code::unacceptable, fmt::format("Last-Event-ID must be a number, not \"{}\"", id->substr(0, 40)));
  return seq;
}

std::string sse_text(const catalog::Event& event, std::string document) {
  return http::format_event({.id = fmt::to_string(event.seq), .event = event.type, .data = std::move(document)});
}

std::string sse_text(const std::vector<catalog::Event>& events) {
  std::string text;
  for (const auto& event : events) text += sse_text(event, write_json(event_document(event)));
  return text;
}

std::string sse_text(const observe::News& news) {
  std::string text;
  for (const auto& told : news.events) text += sse_text(told->event, told->document());
  return text;
}

std::string reset_text(std::int64_t seq) {
  return http::format_event({.id = fmt::to_string(seq),
                             .event = "reset",
                             .data = write_json(observe::reset_document())});
}

// What a client missed while it was away, or `reset` when that is no longer known.
Awaitable<bool> catch_up(const Context& context, const catalog::EventFilter& filter, std::int64_t& seq,
                         http::BodyWriter& writer) {
  auto first = co_await context.pool->run([&] { return context.catalog->first_event(); });
  auto last = co_await context.pool->run([&] { return context.catalog->last_event(); });  // of several servers, another one may have told more
  if ((first && *first > seq + 1) || (last && seq > std::max(*last, context.hub->last()))) {
    seq = context.hub->last();
    auto reset = reset_text(seq);
    co_return co_await writer.write(reset);
  }
  while (!context.hub->after(seq, filter, kBatch)) {
    auto events = co_await context.pool->run([&] { return context.catalog->events_after(seq, filter, kBatch); });
    if (!events) co_return false;
    if (events->empty()) {
      seq = context.hub->last();
      co_return true;
    }
    seq = events->back().seq;
    auto text = sse_text(*events);
    if (!co_await writer.write(text)) co_return false;
  }
  co_return true;
}

Awaitable<void> stream(const Context& context, catalog::EventFilter filter, std::int64_t seq, http::BodyWriter& writer) {
  auto hello = http::format_event({.id = fmt::to_string(seq), .event = "hello", .data = "{}", .retry = kRetry});
  if (!co_await writer.write(hello)) co_return;
  if (!co_await catch_up(context, filter, seq, writer)) co_return;
  while (!context.hub->closed()) {
    auto news = context.hub->after(seq, filter, kBatch);
    if (!news) {  // fell behind what is kept in memory
      if (!co_await catch_up(context, filter, seq, writer)) co_return;
      continue;
    }
    seq = news->seen;
    auto text = sse_text(*news);
    if (!text.empty() && !co_await writer.write(text)) co_return;
    if (co_await context.hub->changed(seq, kComment) || context.hub->closed()) continue;
    auto comment = http::format_comment("waiting");
    if (!co_await writer.write(comment)) co_return;
  }
}

Answer open_stream(const Context& context, http::Request& request) {
  auto seq = start_of(context, request);
  if (!seq) co_return std::unexpected(seq.error());
  co_return http::event_stream(
      [&context, filter = filter_of(request), seq = *seq](http::BodyWriter& writer) -> Awaitable<void> {
        co_await stream(context, filter, seq, writer);
      });
}

}  // namespace

void add_observe_routes(http::Router& router, const Context& context) {
  auto add = [&](std::string method, std::string_view rest, std::string id, Answer (*answer)(const Context&, http::Request&), bool anywhere = false) {
    router.add({.method = std::move(method),
                .pattern = fmt::format("{}/observe{}", kPrefix, rest),
                .handler = handler([&context, answer](http::Request& request) { return answer(context, request); }),
                .operation_id = std::move(id),
                .anywhere = anywhere});
  };
  constexpr bool kAnywhere = true;
  add("POST", "", "subscribe", subscribe);
  add("GET", "", "list subscriptions", list_subscriptions);
  add("GET", "/stream", "stream events", open_stream, kAnywhere);
  add("GET", "/{name}", "observe step", observe_step, kAnywhere);
  add("DELETE", "/{name}", "unsubscribe", unsubscribe);
}

}  // namespace lo::api
