#include "cli/housekeeping.h"

#include <fmt/format.h>

#include "cli/terminal.h"
#include "cli/text_table.h"

namespace lo::cli {
namespace {

// 0 for what is missing or no number.
double number(const json::value& object, std::string_view key) {
  const auto* members = object.if_object();
  const auto* value = members == nullptr ? nullptr : members->if_contains(key);
  return value == nullptr || !value->is_number() ? 0 : value->to_number<double>();
}

std::string whole(const json::value& object, std::string_view key) { return fmt::format("{:.0f}", number(object, key)); }

const json::value& member(const json::value& object, std::string_view key) {
  static const json::value nothing;
  const auto* members = object.if_object();
  const auto* value = members == nullptr ? nullptr : members->if_contains(key);
  return value == nullptr ? nothing : *value;
}

}  // namespace

Status collect_garbage(ApiClient& api, bool dry_run, std::FILE* out) {
  LO_ASSIGN(auto swept, api.call("POST", dry_run ? "gc?dryRun=true" : "gc"));
  const auto* revisions = member(swept, "revisions").if_array();
  std::size_t count = revisions == nullptr ? 0 : revisions->size();
  if (revisions != nullptr)
    for (const auto& revision : *revisions)
      if (const auto* name = revision.if_string()) fmt::print(out, "{}\n", for_terminal(*name));
  fmt::print(out, "{} {} revisions, {} objects, {} logs, {} events: {} bytes\n", dry_run ? "would remove" : "removed", count,
             whole(member(swept, "objects"), "count"), whole(member(swept, "logs"), "count"), whole(swept, "events"), whole(swept, "bytes"));
  return {};
}

Status print_usage(ApiClient& api, const std::string& label, std::FILE* out) {
  LO_ASSIGN(auto used, api.call("GET", "usage?label=" + url_escaped(label)));
  const auto* list = used.if_array();
  if (list == nullptr) return fail(Code::corrupt, "the server gave no list of what was used");
  std::vector<Row> rows;
  for (const auto& one : *list) {
    const auto* value = member(one, "value").if_string();
    rows.push_back({value == nullptr ? "" : for_terminal(*value), whole(one, "steps"), whole(one, "revisions"), whole(one, "attempts"),
                    fmt::format("{:.1f}", number(one, "cpuSeconds")), whole(one, "peakMemory"), whole(one, "bytes")});
  }
  for (const auto& line : table_lines({for_terminal(label), "steps", "revisions", "attempts", "cpu s", "peak bytes", "bytes"}, rows))
    fmt::print(out, "{}\n", line);
  return {};
}

}  // namespace lo::cli
