// Asking again while a server is away, for a while.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "cli/api_client.h"
#include "cli/screen.h"

namespace lo::cli {

class Patience {
 public:
  // `gone_for_good` (may be empty) says why it is useless to wait on, "" while it is not.
  Patience(HttpClient& http, Screen& screen, std::chrono::milliseconds limit, std::function<std::string()> gone_for_good)
      : http_(http), screen_(screen), limit_(limit), gone_for_good_(std::move(gone_for_good)) {}

  // The first result of `call()` that is not Code::unavailable; that one when the limit runs out.
  template <class Call>
  auto ask(Call call) -> decltype(call()) {
    auto begin = std::chrono::steady_clock::now();
    for (;;) {
      auto result = call();
      if (result || result.error().code != Code::unavailable) {
        if (result || result.error().code != Code::cancelled) tell_return();
        return result;
      }
      LO_TRY(wait_on(begin, result.error()));
    }
  }

 private:
  Status wait_on(std::chrono::steady_clock::time_point begin, const Error& error);
  void tell_return();

  HttpClient& http_;
  Screen& screen_;
  std::chrono::milliseconds limit_;
  std::function<std::string()> gone_for_good_;
  bool away_ = false;
};

}  // namespace lo::cli
