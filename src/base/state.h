// The states of a revision and the reasons for its end, in the words of the API.
#pragma once

#include <optional>
#include <string_view>

namespace lo {

enum class State { waiting, scheduled, queued, running, finished, failed, cancelled };

enum class Reason { none, error, upstream_failed, timeout, out_of_memory, killed, lost, refused };

constexpr bool is_terminal(State state) {
  return state == State::finished || state == State::failed || state == State::cancelled;
}

// The API's words: "waiting", "out_of_memory", …; Reason::none is "".
std::string_view to_string(State state);
std::string_view to_string(Reason reason);

std::optional<State> parse_state(std::string_view text);
std::optional<Reason> parse_reason(std::string_view text);

}  // namespace lo
