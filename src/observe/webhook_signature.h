// Secrets and signatures of webhooks. Source: https://www.standardwebhooks.com (symmetric, v1). Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lo::observe {

// "whsec_" and 32 bytes of the kernel's random source in base64.
std::string make_webhook_secret();

// "whsec_" and 24 to 64 bytes in base64. Code::unacceptable at `pointer`; its text does not repeat the secret.
Status check_webhook_secret(std::string_view secret, std::string_view pointer);

// "v1,<base64 of HMAC-SHA256 over id.timestamp.payload>". `secret` is one that check_webhook_secret takes; `timestamp` in seconds.
std::string webhook_signature(std::string_view secret, std::string_view id, std::int64_t timestamp, std::string_view payload);

}  // namespace lo::observe
