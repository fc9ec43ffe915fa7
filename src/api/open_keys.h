// The idempotency keys of requests that are being carried out. Any thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/mutex.h"

namespace lo::api {

class OpenKeys {
 public:
  // Holds a key until it goes.
  class Claim {
   public:
    Claim(OpenKeys& keys, std::string key) : keys_(&keys), key_(std::move(key)) {}
    Claim(Claim&& other) noexcept : keys_(std::exchange(other.keys_, nullptr)), key_(std::move(other.key_)) {}
    Claim& operator=(Claim&&) = delete;
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() {
      if (keys_ != nullptr) keys_->give_back(key_);
    }

   private:
    OpenKeys* keys_;
    std::string key_;
  };

  // `request` is the digest of what the key is for. While another holds the key: Code::conflict if that is the same request,
  // Code::mismatch if it is not.
  Result<Claim> claim(const std::string& key, const std::string& request);

 private:
  void give_back(const std::string& key);

  Mutex mutex_;
  std::map<std::string, std::string> open_ LO_GUARDED_BY(mutex_);  // key → request
};

}  // namespace lo::api
