#include "engine/cache_key.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <xxhash.h>

#include "engine/policy.h"

namespace lo::engine {
namespace {

constexpr std::array<std::string_view, 4> kNames{"name", "datasetName", "outputDatasetName", "modelName"};

bool counts(const json::key_value_pair& member, const std::string& own_name) {
  std::string_view key = member.key();
  if (key == "description" || key == "labels" || (is_policy_key(key) && key != "environment")) return false;
  return std::ranges::find(kNames, key) == kNames.end() || member.value() != json::value(own_name);
}

bool is_url(const json::value& value) {
  const auto* text = value.if_string();
  auto begins = [&](std::string_view scheme) { return text->starts_with(scheme); };
  return text != nullptr && (begins("http://") || begins("https://") || begins("s3://") || begins("hdfs://"));
}

// The digests of a result's parts, and what it is: other members of a manifest say where it came from.
json::object essence(const Input& input) {
  json::object out;
  for (auto key : {"kind", "typeName", "fields", "rows"})
    if (const auto* value = input.manifest.if_contains(key)) out[key] = *value;
  json::array parts;
  if (const auto* all = input.manifest.if_contains("parts"); all != nullptr && all->is_array())
    for (const auto& part : all->get_array()) parts.push_back({string_or(part.as_object(), "name"), string_or(part.as_object(), "digest")});
  out["parts"] = std::move(parts);
  return out;
}

}  // namespace

Result<bool> read_cache(const json::object& request) {
  const auto* value = request.if_contains("cache");
  if (value == nullptr || value->is_null() || *value == "off") return false;
  if (*value == "use") return true;
  return fail_field(Code::unacceptable, "/cache", fmt::format("cache must be \"off\" or \"use\", not {}", write_json(*value)));
}

bool looks_outside(std::string_view operation, const json::object& request) {
  return operation == "environment" || operation == "dataset/sql" || std::ranges::any_of(request, [](const auto& member) { return is_url(member.value()); });
}

std::string cache_key(const Dependencies& of) {
  json::object request;
  for (const auto& member : of.member.request)
    if (counts(member, of.member.name)) request[member.key()] = member.value();
  json::object inputs;
  for (const auto& input : of.inputs) inputs[input.name] = essence(input);
  json::object all{{"operation", of.member.operation}, {"request", std::move(request)}, {"inputs", std::move(inputs)},
                   {"installed", of.installed}, {"outside", of.outside}};
  auto text = canonical_json(all);
  if (text.contains("$clock")) text += format_time(of.clock);
  auto hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace lo::engine
