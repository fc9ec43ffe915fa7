// /observe with a webhook: what a body may hold, and how a webhook is shown. Delivering is observe's.
#pragma once

#include "api/verbs.h"
#include "observe/webhook_record.h"

namespace lo::api {

// POST {webhook, name or filter, secret}: 201 with the only answer that ever holds the secret.
// Only a repeat with the same Idempotency-Key is told it again.
Accepting add_webhook(const Context& context, json::object body, const Ticket& ticket);

Answer show_webhook(const Context& context, std::string id, const http::Request& request);
Answer remove_webhook(const Context& context, std::string id);

// {name: its id, url, webhook, filter, created, state, …}, without the secret.
json::object webhook_document(const observe::Webhook& webhook);

// "key=value", or "key" for any value.
void set_label(catalog::EventFilter& filter, std::string_view label);

}  // namespace lo::api
