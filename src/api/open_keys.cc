#include "api/open_keys.h"

#include <fmt/format.h>

namespace lo::api {

Result<OpenKeys::Claim> OpenKeys::claim(const std::string& key, const std::string& request) {
  MutexLock lock(mutex_);
  auto [held, free] = open_.try_emplace(key, request);
  if (free) return Claim(*this, key);
  if (held->second == request)
    return fail(Code::conflict, fmt::format("the request with the Idempotency-Key \"{}\" is still being carried out: ask again", key));
  return fail(Code::mismatch, fmt::format("the Idempotency-Key \"{}\" is in use by another request: take a new key for each", key));
}

void OpenKeys::give_back(const std::string& key) {
  MutexLock lock(mutex_);
  open_.erase(key);
}

}  // namespace lo::api
