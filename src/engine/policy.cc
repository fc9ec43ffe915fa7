#include "engine/policy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <string>
#include <xxhash.h>

namespace lo::engine {
namespace {

constexpr double kLongestSeconds = 365.0 * 24 * 3600;

Result<double> number_in(const json::value& value, const std::string& pointer, double least, double most) {
  boost::system::error_code error;
  auto number = value.is_number() ? value.to_number<double>(error) : std::nan("");
  if (!(number >= least && number <= most))
    return fail_field(Code::unacceptable, pointer,
                      fmt::format("{} must be a number from {} to {}, not {}", pointer.substr(1), least, most,
                                  json::serialize(value)));
  return number;
}

Result<int> whole_number_in(const json::value& value, const std::string& pointer, int least, int most) {
  LO_ASSIGN(auto number, number_in(value, pointer, least, most));
  if (number != std::floor(number))
    return fail_field(Code::unacceptable, pointer, fmt::format("{} must be a whole number", pointer.substr(1)));
  return static_cast<int>(number);
}

Status only_keys(const json::object& object, std::string_view pointer, std::initializer_list<std::string_view> allowed) {
  for (const auto& member : object)
    if (std::ranges::find(allowed, std::string_view(member.key())) == allowed.end())
      return fail_field(Code::unacceptable, fmt::format("{}/{}", pointer, std::string_view(member.key())),
                        fmt::format("{} has no member \"{}\"; it has: {}", pointer.substr(1), std::string_view(member.key()),
                                    fmt::join(allowed, ", ")));
  return {};
}

Result<const json::object*> object_in(const json::value& value, const std::string& pointer) {
  if (const auto* object = value.if_object()) return object;
  return fail_field(Code::unacceptable, pointer, fmt::format("{} must be an object", pointer.substr(1)));
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(seconds * 1000))};
}

Result<Retry> read_retry(const json::value& value) {
  LO_ASSIGN(const auto* object, object_in(value, "/retry"));
  LO_TRY(only_keys(*object, "/retry", {"maxAttempts", "delay", "backoff"}));
  Retry retry;
  if (const auto* attempts = object->if_contains("maxAttempts")) {
    LO_ASSIGN(retry.max_attempts, whole_number_in(*attempts, "/retry/maxAttempts", 1, 1000));
  }
  if (const auto* delay = object->if_contains("delay")) {
    LO_ASSIGN(auto seconds, number_in(*delay, "/retry/delay", 0, kLongestSeconds));
    retry.delay = milliseconds(seconds);
  }
  if (const auto* backoff = object->if_contains("backoff")) {
    LO_ASSIGN(retry.backoff, number_in(*backoff, "/retry/backoff", 1, 100));
  }
  return retry;
}

// "512MB" → bytes; decimal and binary units.
std::optional<double> bytes_from_text(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 8> units{{{"", 1},
                                                                             {"B", 1},
                                                                             {"kB", 1e3},
                                                                             {"MB", 1e6},
                                                                             {"GB", 1e9},
                                                                             {"KiB", 1024.0},
                                                                             {"MiB", 1048576.0},
                                                                             {"GiB", 1073741824.0}}};
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, factor] : units)
    if (unit == name) return number * factor;
  return std::nullopt;
}

Result<std::int64_t> read_memory(const json::value& value) {
  constexpr double kLeast = 16e6;
  constexpr double kMost = 1e15;
  std::optional<double> bytes;
  if (const auto* text = value.if_string()) bytes = bytes_from_text(*text);
  if (value.is_number()) bytes = value.to_number<double>();
  if (!bytes || !(*bytes >= kLeast && *bytes <= kMost))
    return fail_field(Code::unacceptable, "/resources/memory",
                      fmt::format("resources/memory must be bytes or a text such as \"512MB\", at least 16MB, not {}",
                                  json::serialize(value)));
  return static_cast<std::int64_t>(*bytes);
}

Status read_resources(const json::value& value, Limits& limits) {
  LO_ASSIGN(const auto* object, object_in(value, "/resources"));
  LO_TRY(only_keys(*object, "/resources", {"cpu", "memory", "gpu"}));
  if (const auto* cpu = object->if_contains("cpu")) {
    LO_ASSIGN(limits.cpu, number_in(*cpu, "/resources/cpu", 0.01, 4096));
  }
  if (const auto* gpu = object->if_contains("gpu")) {
    LO_ASSIGN(limits.gpu, whole_number_in(*gpu, "/resources/gpu", 0, 1024));
  }
  if (const auto* memory = object->if_contains("memory")) {
    LO_ASSIGN(limits.memory_bytes, read_memory(*memory));
  }
  return {};
}

Result<Isolation> read_isolation(const json::value& value) {
  const auto* text = value.if_string();
  if (text != nullptr && *text == "process") return Isolation::process;
  if (text != nullptr && *text == "shared") return Isolation::shared;
  return fail_field(Code::unacceptable, "/isolation", fmt::format("isolation must be \"process\" or \"shared\", not {}", json::serialize(value)));
}

}  // namespace

bool is_policy_key(std::string_view key) {
  constexpr std::array<std::string_view, 8> keys{"retry", "timeout", "resources", "isolation", "environment", "schedule", "autoUpdate", "cache"};
  return std::ranges::find(keys, key) != keys.end();
}

Result<Policy> read_policy(const json::object& request) {
  Policy policy;
  if (const auto* retry = request.if_contains("retry")) {
    LO_ASSIGN(policy.retry, read_retry(*retry));
  }
  if (const auto* timeout = request.if_contains("timeout")) {
    LO_ASSIGN(auto seconds, number_in(*timeout, "/timeout", 0.001, kLongestSeconds));
    policy.limits.timeout = milliseconds(seconds);
  }
  if (const auto* resources = request.if_contains("resources")) LO_TRY(read_resources(*resources, policy.limits));
  if (const auto* isolation = request.if_contains("isolation")) {
    LO_ASSIGN(policy.isolation, read_isolation(*isolation));
  }
  return policy;
}

std::chrono::milliseconds retry_delay(const Retry& retry, int next, std::string_view job) {
  constexpr double kLongestMs = 24 * 3600 * 1000.0;
  constexpr double kJitter = 0.25;
  auto factor = std::pow(retry.backoff, std::max(0, next - 2));
  auto ms = static_cast<double>(retry.delay.count()) * factor;
  auto random = static_cast<double>(XXH3_64bits_withSeed(job.data(), job.size(), static_cast<XXH64_hash_t>(next)) >> 11) * 0x1p-53;
  return std::chrono::milliseconds{static_cast<std::int64_t>(std::min(kLongestMs, ms * (1 + kJitter * random)))};
}

}  // namespace lo::engine
