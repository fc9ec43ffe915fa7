// environment {name, requirements, indexURL?}: packages of the user's own for the steps that name it.
#include <fmt/format.h>

#include "api/mentions.h"
#include "api/service.h"

namespace lo::api {
namespace {

void check_requirements(const std::vector<std::string>& requirements, Fields& fields) {
  for (std::size_t i = 0; i < requirements.size(); ++i) {
    const auto& one = requirements[i];
    auto first = one.find_first_not_of(' ');
    if (first == std::string::npos || one[first] == '-' || one.find('\n') != std::string::npos)
      fields.refuse(fmt::format("requirements/{}", i),
                    fmt::format("\"{}\" is no requirement: it names a package, such as \"xgboost>=3\", or a stored wheel, such as \"$wheel\"",
                                one.substr(0, 140)));
  }
}

Result<Draft> read(const json::object& body, const Context& context) {
  Fields fields(body);
  auto name = fields.name("name");
  auto requirements = fields.texts("requirements");
  auto description = fields.optional_text("description");
  json::object request{{"name", name}, {"requirements", json::value_from(requirements)}};
  fields.accept("indexURL");
  if (fields.has("indexURL")) request["indexURL"] = read_url(fields, "indexURL", context);
  auto labels = fields.optional_object("labels");
  check_requirements(requirements, fields);
  auto mentions = find_mentions(request.at("requirements"), "/requirements");
  if (!mentions) fields.refuse(mentions.error());
  LO_TRY(fields.finish());
  if (description) request["description"] = *description;
  copy_policy(body, request);
  Draft draft{.steps = {}, .mentions = *std::move(mentions)};
  draft.steps.push_back({.name = name, .service = "environment", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"name", "requirements"}},
          {"properties",
           {{"name", {{"$ref", "#/components/schemas/Name"}}},
            {"description", {{"type", "string"}}},
            {"requirements",
             {{"type", "array"},
              {"minItems", 1},
              {"items", {{"type", "string"}}},
              {"description", "what pip takes, or \"$name\" of a wheel stored as dataset/generic"}}},
            {"indexURL", {{"type", "string"}, {"minLength", 1}}}}}};
}

}  // namespace

Service environment_service() {
  return {.path = "environment",
          .name_key = "name",
          .has_patch = true,
          .read = read,
          .check = {},
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "Packages of your own for steps that name it; made once, locked, shared by digest"};
}

}  // namespace lo::api
