#include "workflow/export.h"

#include <fmt/format.h>

#include <algorithm>

#include "workflow/request_difference.h"
#include "workflow/services.h"
#include "workflow/timing.h"

namespace lo::workflow {
namespace {

// What the server keeps in a request beside what it was sent.
constexpr std::string_view kOwnMembers[] = {"line", "classifier"};

const StepView* stored_of(const Stored& stored, const std::string& name, std::string_view service) {
  auto found = stored.find(name);
  return found == stored.end() || found->second.service != service ? nullptr : &found->second;
}

bool is_needed(const Service& service, std::string_view key) {
  return key == service.name_key || std::ranges::find(service.required, key) != service.required.end();
}

// The body that makes the step as it is.
json::object body_of(const Service& service, const StepView& view, const json::object& implied) {
  json::object body{{"service", service.name}};
  for (const auto& [key, value] : view.made_by().request) {
    bool is_own = std::ranges::find(kOwnMembers, std::string_view(key)) != std::end(kOwnMembers);
    if (!is_own && (is_needed(service, key) || !goes_without_saying(service, key, value))) body[key] = value;
  }
  if (const auto* labels = view.all.if_contains("labels")) body["labels"] = *labels;
  state_exceptions(implied, body);
  return body;
}

class Exporter {
 public:
  Exporter(const Workflow& workflow, const Stored& stored) : workflow_(workflow), stored_(stored) {}

  json::object document() {
    json::object out = document_of(workflow_);
    auto as_posted = std::move(out.at("steps").as_array());
    for (std::size_t i = 0; i < workflow_.steps.size(); ++i) {
      const auto& step = workflow_.steps[i];
      if (step.service == kDataType) continue;
      if (step.service == kBuilder)
        add_builder(step, as_posted[i]);
      else if (const auto* view = stored_of(stored_, step.title, step.service))
        steps_.push_back(body_of(*find_service(step.service), *view, step.implied));
      else
        steps_.push_back(as_posted[i]);
    }
    add_types();
    out["steps"] = std::move(steps_);
    return out;
  }

 private:
  // Classifiers whose requests are equal make one step; one that was changed by itself is one of its own.
  void add_builder(const FileStep& step, const json::value& as_posted) {
    std::vector<json::object> groups;
    const auto& classifiers = step.body.at("classifiersList").get_array();
    for (std::size_t i = 0; i < step.makes.size(); ++i) {
      const auto* view = stored_of(stored_, step.makes[i], step.service);
      auto body = view == nullptr ? as_posted.get_object() : body_of(*find_service(step.service), *view, step.implied);
      body["classifiersList"] = json::array();
      auto same = std::ranges::find_if(groups, [&](json::object group) {
        group["classifiersList"] = json::array();
        return canonical_json(group) == canonical_json(body);
      });
      if (same == groups.end()) same = groups.insert(same, std::move(body));
      (*same)["classifiersList"].as_array().push_back(classifiers.at(i));
    }
    for (auto& group : groups) steps_.push_back(std::move(group));
  }

  // Of each dataset that the workflow makes all types that were given to it since, of one of others those that the workflow names.
  void add_types() {
    for (const auto& step : workflow_.steps) {
      if (step.service != kDataType) {
        for (const auto& name : step.makes) add_types(name, true);
      } else if (!typed_.contains(step.title) && !stands_in_workflow(step.title)) {
        add_types(step.title, false);
      }
    }
  }

  bool stands_in_workflow(const std::string& name) const {
    return std::ranges::any_of(workflow_.steps, [&](const auto& step) { return std::ranges::find(step.makes, name) != step.makes.end(); });
  }

  void add_types(const std::string& dataset, bool all) {
    typed_.insert(dataset);
    json::object step{{"service", kDataType}, {"inputDatasetName", dataset}};
    json::object types;
    for (const auto& posted : workflow_.steps) {
      if (posted.service != kDataType || posted.title != dataset) continue;
      for (const auto& [key, value] : posted.body) step[key] = value;
      for (const auto& [field, type] : posted.body.at("types").get_object()) types[field] = type;
    }
    auto found = stored_.find(dataset);
    if (found != stored_.end())
      for (const auto& [field, type] : types_of(found->second))
        if (all || types.contains(field)) types[field] = type;
    if (types.empty()) return;
    step["types"] = std::move(types);
    steps_.push_back(std::move(step));
  }

  const Workflow& workflow_;
  const Stored& stored_;
  json::array steps_;
  std::set<std::string> typed_;
};

}  // namespace

Result<json::object> export_workflow(const Workflow& workflow, const Stored& stored) {
  auto exported = parse_workflow({.value = Exporter(workflow, stored).document(), .lines = {}}, workflow.name);
  if (!exported)
    return fail(Code::internal, fmt::format("the workflow '{}' cannot be written: {}", workflow.name, exported.error().message));
  if (auto order = order_steps(*exported)) {
    std::vector<FileStep> ordered;
    for (auto index : *order) ordered.push_back(std::move(exported->steps[index]));
    exported->steps = std::move(ordered);
  }
  return document_of(*exported);
}

}  // namespace lo::workflow
