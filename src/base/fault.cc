#include "base/fault.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace lo {
namespace {

using Action = FaultPlan::Action;

bool is_listed(std::string_view name) { return std::ranges::find(fault_names(), name) != fault_names().end(); }

Action parse_action(std::string_view text) {
  if (text == "abort") return Action::abort;
  if (text == "error") return Action::error;
  return Action::none;
}

// "3" as 3; nothing when it is no number from 1 on.
std::optional<std::uint64_t> parse_nth(std::string_view text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number == 0) return std::nullopt;
  return number;
}

[[noreturn]] void give_up(std::string_view why) {
  fmt::print(stderr, "ORCHESTRA_FAULTS: {}\n", why);
  std::abort();
}

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

void read_environment(FaultPlan& plan) {
  const char* rules = std::getenv("ORCHESTRA_FAULTS");  // NOLINT(concurrency-mt-unsafe): read once, nothing sets it
  if (rules == nullptr) return;
  if (auto status = plan.add(rules); !status) give_up(status.error().message);
}

FaultPlan& environment_plan() {
  static struct Holder {
    Holder() { read_environment(plan); }
    FaultPlan plan;
  } holder;
  return holder.plan;
}

}  // namespace

Status FaultPlan::add(std::string_view rules) {
  std::vector<std::string> texts;
  boost::split(texts, rules, boost::is_any_of(","));
  for (const auto& text : texts)
    if (!text.empty()) LO_TRY(add_rule(text));
  return {};
}

Status FaultPlan::add_rule(std::string_view text) {
  auto equals = text.find('=');
  auto at = text.find('@');
  auto name = text.substr(0, equals);
  auto action = equals == std::string_view::npos ? Action::none : parse_action(text.substr(equals + 1, at - equals - 1));
  auto nth = at == std::string_view::npos ? std::optional<std::uint64_t>(1) : parse_nth(text.substr(at + 1));
  if (!is_listed(name)) return fail(Code::malformed, fmt::format("there is no fault point \"{}\"", name));
  if (action == Action::none || !nth)
    return fail(Code::malformed, fmt::format("\"{}\" is not of the form name=abort@3 or name=error@3", text));
  auto& rule = rules_.emplace_back();
  rule.name = name;
  rule.action = action;
  rule.nth = *nth;
  return {};
}

FaultPlan::Action FaultPlan::pass(std::string_view name) {
  auto happens = Action::none;
  for (auto& rule : rules_)
    if (rule.name == name && ++rule.passes == rule.nth) happens = std::max(happens, rule.action);
  return happens;
}

const std::vector<std::string_view>& fault_names() {
  static const std::vector<std::string_view> names{
      "catalog.commit.before",   // a batch is taken from the queue, nothing written
      "catalog.copy.begun",      // no server has the folder, the copy is not in its place
      "catalog.copy.filled",     // the copy is in its place, so is the catalog of before
      "catalog.commit.between",  // the database has the changes, not the COMMIT
      "catalog.commit.after",    // on disk, nobody told
      "store.publish.before",    // staged, nothing renamed
      "store.publish.between",   // some parts renamed, not all
      "store.publish.after",     // all parts in place, nothing committed
      "engine.start.before",     // decided to start, the runner not told
      "engine.end.before",       // the runner told the end, nothing committed
      "upload.received",         // an upload is whole on disk, its step not committed
      "workflow.step",           // a workflow is on record, its next step not sent
      "catalog.delete.after",    // a step is gone from the catalog, its files are not
  };
  return names;
}

Status fault_point(std::string_view name) {
  auto& plan = environment_plan();
  if (plan.empty()) return {};
  if (!is_listed(name)) give_up(fmt::format("fault point \"{}\" is passed but not listed in base/fault.cc", name));
  switch (plan.pass(name)) {
    case Action::none: return {};
    case Action::error: return fail(Code::io, fmt::format("injected fault at {}", name));
    case Action::abort: die();
  }
  return {};
}

}  // namespace lo
