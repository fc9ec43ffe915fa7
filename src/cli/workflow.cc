#include "cli/workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/id.h"
#include "cli/references.h"
#include "cli/services.h"
#include "cli/workflow_files.h"

namespace lo::cli {
namespace {

// Collects what is wrong, so that one reading tells all of it.
class Problems {
 public:
  explicit Problems(const Document& document) : document_(document) {}

  void add(std::string_view pointer, std::string_view detail) {
    lines_.push_back(fmt::format("{}: {}", document_.where(pointer), detail));
  }
  bool any() const { return !lines_.empty(); }
  std::string text() const { return fmt::format("{}", fmt::join(lines_, "\n")); }

 private:
  const Document& document_;
  std::vector<std::string> lines_;
};

std::string did_you_mean(std::string_view word, const auto& candidates) {
  auto near = nearest(word, candidates);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

std::vector<std::string_view> service_names() {
  std::vector<std::string_view> names;
  for (const auto& service : services()) names.push_back(service.name);
  return names;
}

const Service* service_of(const json::object& body, const std::string& pointer, Problems& problems) {
  auto name = string_or(body, "service");
  if (name.empty()) {
    problems.add(pointer, "a step needs the member 'service'");
    return nullptr;
  }
  const auto* service = find_service(name);
  if (service == nullptr)
    problems.add(pointer + "/service", fmt::format("there is no service '{}'{}", name, did_you_mean(name, service_names())));
  return service;
}

void check_members(const Service& service, const json::object& body, const std::string& pointer, Problems& problems) {
  auto known = members_of(service);
  for (const auto& member : body) {
    std::string_view key = member.key();
    if (std::ranges::find(known, key) == known.end())
      problems.add(fmt::format("{}/{}", pointer, key),
                   fmt::format("{} has no member '{}'{}", service.name, key, did_you_mean(key, known)));
  }
  auto required = service.required;
  if (!service.name_key.empty()) required.push_back(service.name_key);
  for (auto key : required)
    if (!body.contains(key)) problems.add(pointer, fmt::format("{} needs the member '{}'", service.name, key));
}

void check_texts(const Service& service, const json::object& body, const std::string& pointer, Problems& problems) {
  auto texts = service.references;
  for (auto key : {service.name_key, service.code}) {
    if (!key.empty()) texts.push_back(key);
  }
  if (service.name == kBuilder) texts.push_back("name");
  if (!service.file.empty()) texts.push_back(service.file);
  texts.push_back("environment");
  const auto* types = body.if_contains("types");
  if (service.name == kDataType && types != nullptr && !types->is_object())
    problems.add(pointer + "/types", "'types' must give each field its type, such as {Age: number}");
  for (auto key : texts) {
    const auto* value = body.if_contains(key);
    if (value != nullptr && !value->is_string())
      problems.add(fmt::format("{}/{}", pointer, key), fmt::format("'{}' must be text, not {}", key, json::serialize(*value)));
  }
}

// One name per classifier: "titanic_test" and LR make "titanic_testLR".
std::vector<std::string> classifier_names(const json::object& body, const std::string& prefix, const std::string& pointer,
                                          Problems& problems) {
  std::vector<std::string> names;
  const auto* list = body.if_contains("classifiersList");
  if (list == nullptr) return names;
  bool all_texts = list->is_array() && !list->get_array().empty() &&
                   std::ranges::all_of(list->get_array(), [](const auto& element) { return element.is_string(); });
  if (!all_texts) {
    problems.add(pointer + "/classifiersList", "'classifiersList' must be a list of classifiers, such as [LR, DT, GB, RF, NB]");
    return names;
  }
  for (const auto& element : list->get_array()) names.push_back(prefix + std::string(element.get_string()));
  return names;
}

std::string title_of(const Service& service, const json::object& body) {
  if (service.name == kDataType) return string_or(body, "inputDatasetName");
  if (service.name != kBuilder) return string_or(body, service.name_key);
  auto test = string_or(body, "testDatasetName");
  return string_or(body, "name", test.substr(0, test.find('@')));
}

void name_step(const Service& service, FileStep& step, const std::string& pointer, Problems& problems) {
  step.title = title_of(service, step.body);
  if (service.name == kDataType) return;
  if (auto valid = check_name(step.title, ""); !valid) problems.add(pointer, valid.error().message);
  step.makes = {step.title};
  if (service.name == kBuilder) step.makes = classifier_names(step.body, step.title, pointer, problems);
}

// `url` is another word for datasetURI, and so is `name` for datasetName's place: one form from here on.
json::object with_one_spelling(const Service& service, json::object body) {
  if (service.file == "datasetURI" && body.contains("url") && !body.contains("datasetURI")) {
    auto uri = body.at("url");
    body.erase("url");
    body["datasetURI"] = std::move(uri);
  }
  return body;
}

std::optional<FileStep> parse_step(const json::value& value, const std::string& pointer, const Document& document,
                                   Problems& problems) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    problems.add(pointer, "a step must be a list of members, not " + json::serialize(value));
    return {};
  }
  const auto* service = service_of(*object, pointer, problems);
  if (service == nullptr) return {};
  FileStep step{.service = std::string(service->name),
                .title = {},
                .makes = {},
                .uses = {},
                .body = with_one_spelling(*service, *object),
                .where = document.where(pointer),
                .upload = {}};
  check_members(*service, step.body, pointer, problems);
  check_texts(*service, step.body, pointer, problems);
  name_step(*service, step, pointer, problems);
  step.uses = references_of(*service, step.body);
  step.body.erase("service");
  return step;
}

void check_names_once(const std::vector<FileStep>& steps, Problems& problems) {
  std::map<std::string, const FileStep*, std::less<>> makers;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const auto& name : steps[i].makes) {
      auto [at, is_new] = makers.try_emplace(name, &steps[i]);
      if (!is_new)
        problems.add(steps[i].where, fmt::format("the name '{}' is taken by the step of {}", name, at->second->where));
    }
  }
}

// The order of the file does not count, so a field cannot be typed twice.
void check_types_once(const std::vector<FileStep>& steps, Problems& problems) {
  std::map<std::pair<std::string, std::string>, std::string> typed;
  for (const auto& step : steps) {
    const auto* types = step.body.if_contains("types");
    if (step.service != kDataType || types == nullptr || !types->is_object()) continue;
    for (const auto& member : types->get_object()) {
      auto [at, is_new] = typed.try_emplace({step.title, std::string(member.key())}, step.where);
      if (!is_new)
        problems.add(step.where, fmt::format("the field '{}' of '{}' is typed by the step of {} already",
                                             std::string_view(member.key()), step.title, at->second));
    }
  }
}

void check_top(const json::object& top, Problems& problems) {
  constexpr std::string_view known[] = {"name", "steps", "schedule", "description"};
  for (const auto& member : top) {
    std::string_view key = member.key();
    if (std::ranges::find(known, key) == std::end(known))
      problems.add(fmt::format("/{}", key), fmt::format("a workflow has no member '{}'{}", key, did_you_mean(key, known)));
  }
}

Workflow parse_top(const json::object& top, std::string_view name_if_none, const Document& document, Problems& problems) {
  check_top(top, problems);
  Workflow workflow{.name = string_or(top, "name", name_if_none), .steps = {}};
  const auto* steps = top.if_contains("steps");
  if (steps == nullptr || !steps->is_array() || steps->get_array().empty()) {
    problems.add("", "a workflow needs 'steps', a list of at least one");
    return workflow;
  }
  for (std::size_t i = 0; i < steps->get_array().size(); ++i) {
    if (auto step = parse_step(steps->get_array()[i], fmt::format("/steps/{}", i), document, problems))
      workflow.steps.push_back(*std::move(step));
  }
  check_names_once(workflow.steps, problems);
  check_types_once(workflow.steps, problems);
  return workflow;
}

Result<Document> read_document(const std::filesystem::path& path) {
  LO_ASSIGN(auto text, read_text(path));
  return path.extension() == ".json" ? read_json(text) : read_yaml(text);
}

}  // namespace

Result<Workflow> parse_workflow(const Document& document, std::string_view name_if_none) {
  const auto* top = document.value.if_object();
  if (top == nullptr) return fail(Code::unacceptable, "a workflow file holds 'name' and 'steps'");
  Problems problems(document);
  auto workflow = parse_top(*top, name_if_none, document, problems);
  if (problems.any()) return fail(Code::unacceptable, problems.text());
  return workflow;
}

Result<Workflow> read_workflow(const std::filesystem::path& path) {
  LO_ASSIGN(auto document, read_document(path));
  LO_ASSIGN(auto workflow, parse_workflow(document, path.stem().string()));
  LO_TRY(attach_files(workflow, path.parent_path()));
  return workflow;
}

}  // namespace lo::cli
