#include "run/verdict.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>

namespace lo::run {
namespace {

std::string megabytes(std::int64_t bytes) { return fmt::format("{} MB", (bytes + 500'000) / 1'000'000); }

std::string usage_text(const JobEnd& end, std::optional<std::int64_t> limit) {
  auto text = "peak " + megabytes(end.peak_memory);
  return limit ? text + ", limit " + megabytes(*limit) : text;
}

std::optional<int> integer(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return static_cast<int>(value->get_int64());
}

constexpr double kMost = 1e15;  // a petabyte; thirty million years

double number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  boost::system::error_code error;
  double result = value == nullptr ? 0 : value->to_number<double>(error);
  return error || !(result > 0) ? 0 : std::min(result, kMost);  // a step may say anything
}

}  // namespace

JobEnd job_end_from(const json::object& exited) {
  const auto* oom = exited.if_contains("out_of_memory");
  return {.exit = {.status = integer(exited, "status"), .signal = integer(exited, "signal")},
          .cpu_seconds = number(exited, "cpu_seconds"),
          .peak_memory = static_cast<std::int64_t>(number(exited, "peak_memory")),
          .out_of_memory = oom != nullptr && oom->is_bool() && oom->get_bool(),
          .lost = false,
          .lost_why = {}};
}

void end_lost(JobEnd& end, const JobCgroup& group) {
  if (group.out_of_memory()) {
    end.out_of_memory = true;
    end.peak_memory = group.peak_memory().value_or(0);
  }
  group.kill();
}

engine::Outcome failed(Reason reason, std::string exception) {
  engine::Outcome outcome;
  outcome.state = State::failed;
  outcome.reason = reason;
  outcome.exception = std::move(exception);
  return outcome;
}

engine::Outcome outcome_of(const Verdict& verdict) {
  auto outcome = failed(verdict.reason, verdict.exception);
  outcome.state = verdict.state;
  outcome.lost = verdict.lost;
  return outcome;
}

engine::Outcome outcome_without_result(const JobEnd& end, std::optional<std::int64_t> memory_limit) {
  if (end.out_of_memory)
    return failed(Reason::out_of_memory, "MemoryError: the process used more memory than it may (" + usage_text(end, memory_limit) + ")");
  if (end.lost) {
    auto outcome = failed(Reason::killed, end.lost_why);
    outcome.lost = true;
    return outcome;
  }
  if (end.exit.signal) return failed(Reason::killed, "the process was killed by " + describe(end.exit));
  return failed(Reason::error, "the process ended with " + describe(end.exit) + " before giving a result");
}

void add_usage(engine::Outcome& outcome, const JobEnd& end, std::optional<std::int64_t> memory_limit) {
  outcome.cpu_seconds = end.cpu_seconds;
  outcome.peak_memory = end.peak_memory;
  bool tells = outcome.exception.find("limit ") != std::string::npos;
  if (outcome.reason == Reason::out_of_memory && !tells) outcome.exception += " (" + usage_text(end, memory_limit) + ")";
}

std::string timeout_text(std::chrono::milliseconds limit) {
  return fmt::format("ran longer than its limit of {:g} s", static_cast<double>(limit.count()) / 1000);
}

}  // namespace lo::run
