#include "engine/zone.h"

#include <algorithm>
#include <date/tz.h>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/text.h"

namespace lo::engine {
namespace {

// What the library calls by this name is whatever the machine is set to: a schedule would change its meaning with its server.
constexpr std::string_view kMachinesOwn = "localtime";

std::string_view city(std::string_view name) { return name.substr(name.rfind('/') + 1); }

bool same_letters(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// "Berlin" and "europe/berlin" mean Europe/Berlin, whatever has fewer letters to change.
std::string likely_zone(std::string_view name, const std::vector<std::string>& names) {
  for (const auto& known : names)
    if (same_letters(name, known) || same_letters(name, city(known))) return known;
  return nearest(name, names);
}

std::unexpected<Error> unknown_zone(std::string_view name, std::string_view pointer, const date::tzdb& database) {
  std::vector<std::string> names;
  for (const auto& zone : database.zones)
    if (zone.name() != kMachinesOwn) names.push_back(zone.name());
  auto near = likely_zone(name, names);
  return fail_field(
      Code::unacceptable, std::string(pointer),
      fmt::format("{}: there is no time zone \"{}\"; {}", pointer.substr(1), printable(name),
                  near.empty() ? "one is named as \"UTC\" or \"Europe/Berlin\"" : fmt::format("did you mean \"{}\"?", near)));
}

// The library reads only the table of a zone's file. The files of Debian's tables end in 2037; those of some other systems end
// with the last change of the law, years ago. The last line of the file is the rule for what comes after.
std::optional<ZoneRule> rule_of(const std::string& name) {
  std::ifstream file(std::filesystem::path("/usr/share/zoneinfo") / name, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!content.ends_with('\n')) return std::nullopt;
  content.pop_back();
  return ZoneRule::parse(std::string_view(content).substr(content.rfind('\n') + 1));
}

}  // namespace

Result<std::shared_ptr<const Zone>> Zone::find(std::string_view name, std::string_view pointer) try {
  auto zone = std::make_shared<Zone>();
  if (name == "UTC") return zone;
  static const auto& database = date::get_tzdb();  // once: read by whoever comes first, ready for all who come later
  auto found = std::ranges::find(database.zones, name, &date::time_zone::name);
  if (found == database.zones.end() || name == kMachinesOwn) return unknown_zone(name, pointer, database);
  zone->table_ = &*found;
  zone->table_->get_info(date::sys_seconds{});  // loads it, and throws now where it cannot
  zone->rule_ = rule_of(found->name());
  return zone;
} catch (const std::exception& problem) {
  return fail({.code = Code::unavailable,
               .message = fmt::format("{}: this machine's time zones cannot be read", pointer.substr(1)),
               .internal = problem.what()});
}

ZoneSpan Zone::at(std::chrono::sys_seconds time) const {
  if (!table_) return {kZoneBegin, kZoneEnd, std::chrono::seconds{0}};
  auto info = table_->get_info(time);
  if (info.end < kZoneEnd) return {std::max(info.begin, kZoneBegin), info.end, info.offset};
  auto span = rule_ ? rule_->at(time) : ZoneSpan{kZoneBegin, kZoneEnd, info.offset};
  span.begin = std::max(span.begin, info.begin);
  return span;
}

}  // namespace lo::engine
