#include <algorithm>
#include <fmt/format.h>

#include "api/service.h"
#include "engine/policy.h"
#include "engine/registry.h"

namespace lo::api {

const std::vector<Service>& services() {
  static const std::vector<Service> all{dataset_csv_service(), projection_service(), function_python_service(),
                                        builder_sparkml_service()};
  return all;
}

const Service* find_service(std::string_view path) {
  auto at = std::ranges::find(services(), path, &Service::path);
  return at == services().end() ? nullptr : &*at;
}

Result<std::optional<store::Manifest>> finished_result(const Context& context, const std::string& reference) {
  LO_ASSIGN(auto parsed, engine::parse_reference(reference, ""));
  LO_ASSIGN(auto step, context.catalog->find_step(parsed.name));
  if (!step) return std::nullopt;
  LO_ASSIGN(auto revisions, context.catalog->revisions(step->id));
  std::erase_if(revisions, [&](const catalog::Revision& revision) {
    if (parsed.revision) return revision.key.revision != *parsed.revision;
    return revision.state == State::failed || revision.state == State::cancelled;
  });
  if (revisions.empty() || revisions.back().state != State::finished) return std::nullopt;
  LO_ASSIGN(auto manifest, store::manifest_from_json(revisions.back().result));
  return manifest;
}

void copy_policy(const json::object& body, json::object& request) {
  for (const auto& member : body)
    if (engine::is_policy_key(member.key()) && !member.value().is_null()) request[member.key()] = member.value();
}

}  // namespace lo::api
