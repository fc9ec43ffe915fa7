#include "cli/patience.h"

#include <fmt/format.h>

namespace lo::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kBetween{250};

}  // namespace

Status Patience::wait_on(Clock::time_point begin, const Error& error) {
  if (auto why = gone_for_good_ ? gone_for_good_() : ""; !why.empty()) return fail(Code::io, std::move(why));
  if (Clock::now() - begin >= limit_) return fail(Code::io, fmt::format("{}; gave up", error.message));
  if (!std::exchange(away_, true)) {
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit_).count();
    screen_.say(fmt::format("{}; asking again for up to {} s", error.message, seconds));
  }
  auto next = Clock::now() + kBetween;
  for (auto now = Clock::now(); now < next; now = Clock::now())
    LO_TRY(http_.wait(std::chrono::ceil<std::chrono::milliseconds>(next - now)));
  return {};
}

void Patience::tell_return() {
  if (std::exchange(away_, false)) screen_.say("the server answers again");
}

}  // namespace lo::cli
