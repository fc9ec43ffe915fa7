#include "workflow/workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/id.h"
#include "workflow/references.h"
#include "workflow/services.h"
#include "workflow/timing.h"

namespace lo::workflow {
namespace {

std::string did_you_mean(std::string_view word, const auto& candidates) {
  auto near = nearest(word, candidates);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

std::vector<std::string_view> service_names() {
  std::vector<std::string_view> names;
  for (const auto& service : services()) names.push_back(service.name);
  return names;
}

// Problems of one document.
class Report {
 public:
  explicit Report(const Document& document) : document_(document) {}
  void add(const std::string& pointer, std::string_view detail) { problems.add(pointer, document_.where(pointer), detail); }

  Problems problems;

 private:
  const Document& document_;
};

const Service* service_of(const json::object& body, const std::string& pointer, Report& report) {
  auto name = string_or(body, "service");
  if (name.empty()) {
    report.add(pointer, "a step needs the member 'service'");
    return nullptr;
  }
  const auto* service = find_service(name);
  if (service == nullptr)
    report.add(pointer + "/service", fmt::format("there is no service '{}'{}", name, did_you_mean(name, service_names())));
  return service;
}

void check_members(const Service& service, const json::object& body, const std::string& pointer, Report& report) {
  auto known = members_of(service);
  if (!service.file.empty()) known.push_back(kUpload);
  for (const auto& member : body) {
    std::string_view key = member.key();
    if (std::ranges::find(known, key) == known.end())
      report.add(fmt::format("{}/{}", pointer, key),
                   fmt::format("{} has no member '{}'{}", service.name, key, did_you_mean(key, known)));
  }
  auto required = service.required;
  if (!service.name_key.empty()) required.push_back(service.name_key);
  for (auto key : required)
    if (!body.contains(key) && !(key == service.file && body.contains(kUpload)))
      report.add(pointer, fmt::format("{} needs the member '{}'", service.name, key));
}

void check_texts(const Service& service, const json::object& body, const std::string& pointer, Report& report) {
  auto texts = service.references;
  for (auto key : {service.name_key, service.code}) {
    if (!key.empty()) texts.push_back(key);
  }
  if (service.name == kBuilder) texts.push_back("name");
  if (!service.file.empty()) texts.push_back(service.file);
  texts.push_back("environment");
  const auto* types = body.if_contains("types");
  if (service.name == kDataType && types != nullptr && !types->is_object())
    report.add(pointer + "/types", "'types' must give each field its type, such as {Age: number}");
  for (auto key : texts) {
    const auto* value = body.if_contains(key);
    if (value != nullptr && !value->is_string())
      report.add(fmt::format("{}/{}", pointer, key), fmt::format("'{}' must be text, not {}", key, json::serialize(*value)));
  }
}

// One name per classifier: "titanic_test" and LR make "titanic_testLR".
std::vector<std::string> classifier_names(const json::object& body, const std::string& prefix, const std::string& pointer,
                                          Report& report) {
  std::vector<std::string> names;
  const auto* list = body.if_contains("classifiersList");
  if (list == nullptr) return names;
  bool all_texts = list->is_array() && !list->get_array().empty() &&
                   std::ranges::all_of(list->get_array(), [](const auto& element) { return element.is_string(); });
  if (!all_texts) {
    report.add(pointer + "/classifiersList", "'classifiersList' must be a list of classifiers, such as [LR, DT, GB, RF, NB]");
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

void name_step(const Service& service, FileStep& step, const std::string& pointer, Report& report) {
  step.title = title_of(service, step.body);
  if (service.name == kDataType) return;
  if (auto valid = check_name(step.title, ""); !valid) report.add(pointer, valid.error().message);
  step.makes = {step.title};
  if (service.name == kBuilder) step.makes = classifier_names(step.body, step.title, pointer, report);
}

void rename(json::object& body, std::string_view from, std::string_view to) {
  if (!body.contains(from) || body.contains(to)) return;
  auto value = body.at(from);
  body.erase(from);
  body[to] = std::move(value);
}

// `url` is another word for datasetURI, and `name` for modelName: one form from here on.
json::object with_one_spelling(const Service& service, json::object body) {
  if (service.file == "datasetURI") rename(body, "url", "datasetURI");
  if (service.name_key == "modelName") rename(body, "name", "modelName");
  return body;
}

std::optional<Upload> take_upload(const Service& service, json::object& body, const std::string& pointer, Report& report) {
  const auto* found = body.if_contains(kUpload);
  if (found == nullptr || service.file.empty()) return {};
  Upload upload;
  if (const auto* object = found->if_object()) {
    upload.digest = string_or(*object, "digest");
    if (const auto* bytes = object->if_contains("bytes"); bytes != nullptr && bytes->is_int64()) upload.bytes = bytes->get_int64();
  }
  bool is_digest = upload.digest.size() == 32 && upload.digest.find_first_not_of("0123456789abcdef") == upload.digest.npos;
  if (!is_digest) report.add(fmt::format("{}/{}", pointer, kUpload), "'upload' must be {digest, bytes} of a file that was sent to the server");
  if (body.contains(service.file)) report.add(pointer, fmt::format("'{}' and 'upload' exclude each other", service.file));
  body.erase(kUpload);
  return upload;
}

std::optional<FileStep> parse_step(const json::value& value, const std::string& pointer, const Document& document,
                                   Report& report) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    report.add(pointer, "a step must be a list of members, not " + json::serialize(value));
    return {};
  }
  const auto* service = service_of(*object, pointer, report);
  if (service == nullptr) return {};
  FileStep step{.service = std::string(service->name),
                .title = {},
                .makes = {},
                .uses = {},
                .body = with_one_spelling(*service, *object),
                .where = document.where(pointer),
                .pointer = pointer,
                .upload = {}};
  check_members(*service, step.body, pointer, report);
  check_texts(*service, step.body, pointer, report);
  name_step(*service, step, pointer, report);
  step.uses = references_of(*service, step.body);
  step.upload = take_upload(*service, step.body, pointer, report);
  step.body.erase("service");
  return step;
}

void check_names_once(const std::vector<FileStep>& steps, Report& report) {
  std::map<std::string, const FileStep*, std::less<>> makers;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const auto& name : steps[i].makes) {
      auto [at, is_new] = makers.try_emplace(name, &steps[i]);
      if (!is_new)
        report.add(steps[i].pointer, fmt::format("the name '{}' is taken by the step of {}", name, at->second->where));
    }
  }
}

// The order of the file does not count, so a field cannot be typed twice.
void check_types_once(const std::vector<FileStep>& steps, Report& report) {
  std::map<std::pair<std::string, std::string>, std::string> typed;
  for (const auto& step : steps) {
    const auto* types = step.body.if_contains("types");
    if (step.service != kDataType || types == nullptr || !types->is_object()) continue;
    for (const auto& member : types->get_object()) {
      auto [at, is_new] = typed.try_emplace({step.title, std::string(member.key())}, step.where);
      if (!is_new)
        report.add(step.pointer, fmt::format("the field '{}' of '{}' is typed by the step of {} already",
                                             std::string_view(member.key()), step.title, at->second));
    }
  }
}

void check_top(const json::object& top, Report& report) {
  constexpr std::string_view known[] = {"name", "description", "schedule", "steps"};  // what a workflow may say beside its steps
  for (const auto& member : top) {
    std::string_view key = member.key();
    if (std::ranges::find(known, key) == std::end(known))
      report.add(fmt::format("/{}", key), fmt::format("a workflow has no member '{}'{}", key, did_you_mean(key, known)));
  }
}

// The values are the server's to judge.
std::optional<json::object> read_schedule(const json::object& top, Report& report) {
  const auto* schedule = top.if_contains("schedule");
  if (schedule == nullptr || schedule->is_null()) return {};
  const auto* object = schedule->if_object();
  if (object == nullptr) {
    report.add("/schedule", "'schedule' must have 'at' or 'cron', such as {cron: \"0 2 * * *\"}");
    return {};
  }
  return *object;
}

Workflow parse_top(const json::object& top, std::string_view name_if_none, const Document& document, Report& report) {
  check_top(top, report);
  Workflow workflow{.name = string_or(top, "name", name_if_none), .description = string_or(top, "description"), .schedule = read_schedule(top, report), .steps = {}};
  for (auto key : {"name", "description"})
    if (top.contains(key) && !top.at(key).is_string()) report.add(fmt::format("/{}", key), fmt::format("'{}' must be text", key));
  if (auto valid = check_name(workflow.name, "/name"); !valid)
    report.add(top.contains("name") ? "/name" : "", top.contains("name") ? valid.error().message : "a workflow needs a 'name'");
  const auto* steps = top.if_contains("steps");
  if (steps == nullptr || !steps->is_array() || steps->get_array().empty()) {
    report.add("", "a workflow needs 'steps', a list of at least one");
    return workflow;
  }
  for (std::size_t i = 0; i < steps->get_array().size(); ++i) {
    if (auto step = parse_step(steps->get_array()[i], fmt::format("/steps/{}", i), document, report))
      workflow.steps.push_back(*std::move(step));
  }
  check_names_once(workflow.steps, report);
  check_types_once(workflow.steps, report);
  apply_schedule(workflow);
  return workflow;
}

json::object written(const FileStep& step) {
  json::object out{{"service", step.service}};
  auto body = without_implied(step);
  for (auto key : members_of(*find_service(step.service)))
    if (const auto* value = body.if_contains(key)) out[key] = *value;
  if (step.upload) out[kUpload] = json::object{{"digest", step.upload->digest}, {"bytes", step.upload->bytes}};
  return out;
}

}  // namespace

void Problems::add(std::string pointer, std::string_view where, std::string_view detail) {
  auto line = fmt::format("{}{}{}", where, where.empty() ? "" : ": ", detail);
  error_.message += (error_.message.empty() ? "" : "\n") + line;
  error_.fields.push_back({.pointer = pointer, .detail = where == pointer ? std::string(detail) : std::move(line)});
}

Error Problems::error(Code code) && {
  error_.code = code;
  return std::move(error_);
}

Result<Workflow> parse_workflow(const Document& document, std::string_view name_if_none) {
  const auto* top = document.value.if_object();
  if (top == nullptr) return fail(Code::unacceptable, "a workflow holds 'name' and 'steps'");
  Report report(document);
  auto workflow = parse_top(*top, name_if_none, document, report);
  if (report.problems.any()) return fail(std::move(report.problems).error(Code::unacceptable));
  return workflow;
}

json::object document_of(const Workflow& workflow) {
  json::object out{{"name", workflow.name}};
  if (!workflow.description.empty()) out["description"] = workflow.description;
  if (workflow.schedule) out["schedule"] = *workflow.schedule;
  json::array steps;
  for (const auto& step : workflow.steps) steps.push_back(written(step));
  out["steps"] = std::move(steps);
  return out;
}

std::vector<std::string> made_by(const Workflow& workflow) {
  std::vector<std::string> names;
  for (const auto& step : workflow.steps) names.insert(names.end(), step.makes.begin(), step.makes.end());
  return names;
}

}  // namespace lo::workflow
