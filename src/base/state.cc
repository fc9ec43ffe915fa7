#include "base/state.h"

#include <array>
#include <utility>

namespace lo {
namespace {

constexpr std::array<std::pair<State, std::string_view>, 7> kStates{{
    {State::waiting, "waiting"},
    {State::scheduled, "scheduled"},
    {State::queued, "queued"},
    {State::running, "running"},
    {State::finished, "finished"},
    {State::failed, "failed"},
    {State::cancelled, "cancelled"},
}};

constexpr std::array<std::pair<Reason, std::string_view>, 8> kReasons{{
    {Reason::none, ""},
    {Reason::error, "error"},
    {Reason::upstream_failed, "upstream_failed"},
    {Reason::timeout, "timeout"},
    {Reason::out_of_memory, "out_of_memory"},
    {Reason::killed, "killed"},
    {Reason::lost, "lost"},
    {Reason::refused, "refused"},
}};

template <class Table, class Value>
constexpr std::string_view name_in(const Table& table, Value value) {
  for (const auto& [candidate, name] : table)
    if (candidate == value) return name;
  return "";
}

template <class Value, class Table>
constexpr std::optional<Value> value_in(const Table& table, std::string_view name) {
  for (const auto& [candidate, text] : table)
    if (text == name) return candidate;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(State state) { return name_in(kStates, state); }
std::string_view to_string(Reason reason) { return name_in(kReasons, reason); }
std::optional<State> parse_state(std::string_view text) { return value_in<State>(kStates, text); }
std::optional<Reason> parse_reason(std::string_view text) { return value_in<Reason>(kReasons, text); }

}  // namespace lo
