// For many JSON texts in turn.
#pragma once

#include <memory>

#include "base/json.h"

namespace lo {

// Reads as parse_json does, and keeps what it needs for reading between two texts. One thread at a time.
class JsonReader {
 public:
  explicit JsonReader(std::size_t max_depth = kMaxJsonDepth);
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;
  ~JsonReader();

  // `storage`: what the value and its parts are made in.
  Result<json::value> read(std::string_view text, json::storage_ptr storage = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lo
