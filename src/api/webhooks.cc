#include "api/webhooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/fields.h"
#include "base/id.h"
#include "base/text.h"
#include "http/etag.h"
#include "observe/webhook_signature.h"
#include "observe/webhooks.h"

namespace lo::api {
namespace {

constexpr std::array<std::string_view, 10> kEvents{"accepted", "waiting",  "scheduled", "queued",    "running",
                                                   "progress", "finished", "failed",    "cancelled", "deleted"};
constexpr std::array<std::string_view, 4> kFilterKeys{"type", "label", "event", "events"};

std::string did_you_mean(const std::string& near) { return near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near); }

// The members of a filter, with pointers below /filter.
class FilterReader {
 public:
  FilterReader(Fields& fields, observe::Webhook& webhook) : fields_(fields), webhook_(webhook) {}

  void read(const json::object& filter) {
    for (const auto& member : filter) {
      std::string_view key = member.key();
      if (std::ranges::find(kFilterKeys, key) == kFilterKeys.end())
        refuse(key,
               fmt::format("there is no member \"{}\" in a filter{}", printable(key), did_you_mean(nearest(key, kFilterKeys))));
      else if (key == "events")
        read_events(member.value());
      else if (const auto* text = member.value().if_string())
        read_text(key, std::string(*text));
      else
        refuse(key, fmt::format("{} must be a text, not {}", key, printable(write_json(member.value()))));
    }
  }

 private:
  void refuse(std::string_view key, std::string why) {
    fields_.refuse(fmt::format("filter/{}", printable(key)), std::move(why));
  }

  void read_text(std::string_view key, std::string text) {
    if (key == "event") return add_event(key, std::move(text));
    if (key == "label") return read_label(text);
    webhook_.filter.service = std::move(text);
    if (find_service(webhook_.filter.service) != nullptr) return;
    std::vector<std::string> paths;
    for (const auto& service : services()) paths.push_back(service.path);
    refuse(key, fmt::format("there are no steps of type \"{}\"{}", printable(webhook_.filter.service),
                            did_you_mean(nearest(webhook_.filter.service, paths))));
  }

  void read_label(std::string_view text) {
    set_label(webhook_.filter, text);
    if (webhook_.filter.label_key.empty())
      refuse("label", fmt::format("label must be \"key=value\" or \"key\", not \"{}\"", printable(text)));
  }

  void read_events(const json::value& value) {
    const auto* list = value.if_array();
    if (list == nullptr || list->empty())
      return refuse("events", fmt::format("events must be a list of at least one event, not {}", printable(write_json(value))));
    for (std::size_t i = 0; i < list->size(); ++i) {
      auto key = fmt::format("events/{}", i);
      if (const auto* text = list->at(i).if_string())
        add_event(key, std::string(*text));
      else
        refuse(key, fmt::format("events must hold texts, not {}", printable(write_json(list->at(i)))));
    }
  }

  void add_event(std::string_view key, std::string event) {
    if (std::ranges::find(kEvents, event) == kEvents.end())
      return refuse(key, fmt::format("there is no event \"{}\"{}", printable(event), did_you_mean(nearest(event, kEvents))));
    if (std::ranges::find(webhook_.events, event) == webhook_.events.end()) webhook_.events.push_back(std::move(event));
  }

  Fields& fields_;
  observe::Webhook& webhook_;
};

Result<observe::Webhook> read_webhook(const json::object& body, const Context& context) {
  Fields fields(body, Fields::Of::something_else);
  observe::Webhook webhook;
  webhook.url = read_url(fields, "webhook", context);
  webhook.filter.name = fields.optional_name("name").value_or("");
  FilterReader(fields, webhook).read(fields.optional_object("filter"));
  if (fields.has("name") && fields.has("filter")) fields.refuse("filter", "either name or filter is given, not both");
  auto secret = fields.optional_text("secret");
  if (secret)
    if (auto sound = observe::check_webhook_secret(*secret, "/secret"); !sound) fields.refuse(sound.error());
  LO_TRY(fields.finish());
  webhook.secret = secret ? *secret : observe::make_webhook_secret();
  return webhook;
}

std::string url_of(const observe::Webhook& webhook) { return fmt::format("{}/observe/{}", kPrefix, webhook.id); }

json::object filter_document(const observe::Webhook& webhook) {
  json::object document;
  const auto& filter = webhook.filter;
  if (!filter.name.empty()) document["name"] = filter.name;
  if (!filter.service.empty()) document["type"] = filter.service;
  if (!filter.label_key.empty())
    document["label"] =
        filter.label_value.empty() ? filter.label_key : fmt::format("{}={}", filter.label_key, filter.label_value);
  if (!webhook.events.empty()) document["events"] = json::array(webhook.events.begin(), webhook.events.end());
  return document;
}

std::string_view state_of(const observe::Webhook& webhook) {
  if (!webhook.disabled.empty()) return "disabled";
  return webhook.failures > 0 ? "failing" : "active";
}

std::unexpected<Error> no_webhook(std::string_view id) {
  return fail(Code::not_found, fmt::format("there is no webhook \"{}\"", printable(id)));
}

}  // namespace

void set_label(catalog::EventFilter& filter, std::string_view label) {
  auto equals = std::min(label.find('='), label.size());
  filter.label_key = label.substr(0, equals);
  filter.label_value = equals < label.size() ? label.substr(equals + 1) : "";
}

json::object webhook_document(const observe::Webhook& webhook) {
  json::object document{{"name", webhook.id},
                        {"url", url_of(webhook)},
                        {"webhook", webhook.url},
                        {"filter", filter_document(webhook)},
                        {"created", format_time(webhook.created)},
                        {"delivered", webhook.cursor},
                        {"state", state_of(webhook)}};
  if (webhook.failures > 0) {
    document["failures"] = webhook.failures;
    document["error"] = webhook.error;
  }
  if (webhook.next_try) document["nextTry"] = format_time(*webhook.next_try);
  if (!webhook.disabled.empty()) document["disabled"] = webhook.disabled;
  return document;
}

Accepting add_webhook(const Context& context, json::object body, const Ticket& ticket) {
  auto webhook = read_webhook(body, context);
  if (!webhook) co_return std::unexpected(webhook.error());
  auto name = webhook->filter.name;
  if (!name.empty())
    if (auto record = co_await load_step(context, name); !record)
      co_return fail_field(Code::unacceptable, "/name", fmt::format("there is no step \"{}\"", name));
  webhook->id = observe::make_webhook_id();
  Acceptance acceptance{.body = {{"result", url_of(*webhook)}, {"secret", webhook->secret}}, .location = url_of(*webhook)};
  auto added = co_await await_callback<Status>(
      [&](auto done) { context.webhooks->add(*std::move(webhook), ticket.receipt(acceptance), std::move(done)); });
  if (!added) co_return std::unexpected(added.error());
  co_return acceptance;
}

Answer show_webhook(const Context& context, std::string id, const http::Request& request) {
  auto subscriptions = co_await context.pool->run([&] { return context.catalog->subscriptions(); });
  if (!subscriptions) co_return std::unexpected(subscriptions.error());
  auto found = std::ranges::find(*subscriptions, id, &catalog::Subscription::name);
  auto webhook = found == subscriptions->end() ? std::nullopt : observe::webhook_of(*found);
  if (!webhook) co_return no_webhook(id);
  co_return http::with_etag(request, result_response(200, webhook_document(*webhook)));
}

Answer remove_webhook(const Context& context, std::string id) {
  auto removed = co_await await_callback<Status>([&](auto done) { context.webhooks->remove(id, std::move(done)); });
  if (!removed) co_return std::unexpected(removed.error());
  co_return result_response(200, "deleted subscription");
}

}  // namespace lo::api
