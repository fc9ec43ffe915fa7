// What the OpenAPI document says of /observe, and of what webhooks are sent.
#pragma once

#include "base/json.h"

namespace lo::api {

json::object subscribe_schema();      // the body of a POST
json::object subscribed_schema();     // its answer
json::object subscriptions_schema();  // the list
json::object event_filter_schema();
json::object subscription_schema();

// The document's `webhooks`: what the server itself calls, by www.standardwebhooks.com.
json::object webhook_calls();

}  // namespace lo::api
