// Profiles of tables, each made once however many ask for it at once, and kept.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/json.h"

namespace lo::api {

class Profiles {
 public:
  // `most_bytes` of them are kept. They are made on the pool, which outlives this, a few at a time: each keeps all processors busy.
  Profiles(BlockingPool& pool, std::size_t most_bytes);
  ~Profiles();
  Profiles(const Profiles&) = delete;
  Profiles& operator=(const Profiles&) = delete;

  // dataset/profile.h's answer and errors. Work that nobody waits for any more, since all who did were cancelled, is stopped. On the strand of the
  // one who asks.
  Awaitable<Result<std::shared_ptr<const json::object>>> of(std::filesystem::path table, std::vector<std::string> fields);

  // What is being made is stopped, and what is asked for from now on is refused, with Code::cancelled. Any thread.
  void close();

 private:
  class Shared;
  const std::shared_ptr<Shared> shared_;  // with what runs on the pool
};

}  // namespace lo::api
