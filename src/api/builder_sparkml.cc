// builder/sparkml {trainDatasetName, testDatasetName, modelingCode, classifiersList, name?}: a step per classifier.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/service.h"
#include "base/id.h"

namespace lo::api {
namespace {

constexpr std::array<std::string_view, 5> kClassifiers{"LR", "DT", "GB", "RF", "NB"};

void check_classifiers(const std::vector<std::string>& classifiers, Fields& fields) {
  for (std::size_t i = 0; i < classifiers.size(); ++i) {
    auto key = fmt::format("classifiersList/{}", i);
    if (std::ranges::find(kClassifiers, classifiers[i]) == kClassifiers.end())
      fields.refuse(key, fmt::format("there is no classifier \"{}\": it is one of {}", classifiers[i].substr(0, 140),
                                     fmt::join(kClassifiers, ", ")));
    if (std::ranges::find(classifiers, classifiers[i]) - classifiers.begin() < static_cast<std::ptrdiff_t>(i))
      fields.refuse(key, fmt::format("the classifier \"{}\" is listed twice", classifiers[i].substr(0, 140)));
  }
}

// "titanic_testing@2" as the name of a step: without the revision.
std::string without_revision(const std::string& reference) { return reference.substr(0, reference.find('@')); }

Result<Draft> read(const json::object& body, const Context& context) {
  Fields fields(body);
  auto train = fields.text("trainDatasetName");
  auto test = fields.text("testDatasetName");
  auto code = read_code(fields, "modelingCode", context);
  auto classifiers = fields.texts("classifiersList");
  auto name = fields.optional_name("name");
  auto labels = fields.optional_object("labels");
  check_classifiers(classifiers, fields);
  auto stem = name.value_or(without_revision(test));
  for (const auto& classifier : classifiers)
    if (auto valid = check_name(stem + classifier, name ? "/name" : "/testDatasetName"); !valid && !stem.empty())
      fields.refuse(valid.error());
  LO_TRY(fields.finish());

  json::object request{{"trainDatasetName", train}, {"testDatasetName", test}, {"modelingCode", code}};
  if (name) request["name"] = *name;
  copy_policy(body, request);
  Draft draft;
  draft.mentions = {{.text = train, .pointer = "/trainDatasetName"}, {.text = test, .pointer = "/testDatasetName"}};
  for (const auto& classifier : classifiers) {
    auto own = request;
    own["classifier"] = classifier;
    draft.steps.push_back(
        {.name = stem + classifier, .service = "builder/sparkml", .request = std::move(own), .labels = labels});
  }
  return draft;
}

Status check(Draft& draft, const Context& context) {
  for (const auto& mention : draft.mentions) {
    LO_ASSIGN(std::ignore, finished_table(context, mention));
  }
  return {};
}

// The body that would make this one step again.
json::object body_of(const std::string&, const json::object& request) {
  auto body = request;
  body["classifiersList"] = json::array{request.at("classifier")};
  body.erase("classifier");
  return body;
}

json::object schema() {
  json::array names(kClassifiers.begin(), kClassifiers.end());
  return {{"type", "object"},
          {"required", json::array{"trainDatasetName", "testDatasetName", "modelingCode", "classifiersList"}},
          {"properties",
           {{"trainDatasetName", {{"$ref", "#/components/schemas/Reference"}}},
            {"testDatasetName", {{"$ref", "#/components/schemas/Reference"}}},
            {"modelingCode", {{"type", "string"}, {"minLength", 1}, {"description", "Python code, or the URL of it"}}},
            {"classifiersList",
             {{"type", "array"}, {"minItems", 1}, {"items", {{"type", "string"}, {"enum", std::move(names)}}}}},
            {"name", {{"$ref", "#/components/schemas/Name"}}}}}};
}

}  // namespace

Service builder_sparkml_service() {
  return {.path = "builder/sparkml",
          .name_key = "datasetName",
          .has_patch = true,
          .shown = Shown::rows,
          .read = read,
          .check = check,
          .body_of = body_of,
          .schema = schema(),
          .summary = "Spark ML classifiers over features that modeling code makes"};
}

}  // namespace lo::api
