#include "workflow/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/id.h"
#include "workflow/request_difference.h"
#include "workflow/services.h"

namespace lo::workflow {
namespace {

const StepView* find(const Stored& stored, std::string_view name) {
  auto found = stored.find(name);
  return found == stored.end() ? nullptr : &found->second;
}

bool has_ended(std::string_view status) { return status == "finished" || status == "failed" || status == "cancelled"; }

std::string how_it_ended(const StepView& view) {
  return view.reason.empty() ? view.status : fmt::format("{} ({})", view.status, view.reason);
}

bool is_typed(const StepView& dataset, const json::object& wanted) {
  auto types = types_of(dataset);
  return std::ranges::all_of(wanted, [&](const auto& member) {
    const auto* type = types.if_contains(member.key());
    return type != nullptr && *type == member.value();
  });
}

// Builds the plan step by step. `changed_` holds the names that will have another result than the server has now.
class Planner {
 public:
  Planner(const Workflow& workflow, const Stored& stored) : workflow_(workflow), stored_(stored) {}

  std::vector<Action> plan(const std::vector<std::size_t>& order) {
    for (auto index : order) {
      const auto& uses = workflow_.steps[index].uses;
      parent_changes_ = std::ranges::any_of(uses, [&](const auto& name) { return changed_.contains(name) && find(stored_, name) != nullptr; });
      const auto& step = workflow_.steps[index];
      if (step.service == kDataType) {
        type_dataset(index);
      } else {
        create_missing(index);
        for (const auto& name : step.makes)
          if (const auto* view = find(stored_, name)) keep_up(index, *view);
      }
    }
    return std::move(actions_);
  }

 private:
  void add(Action action, const std::vector<std::string>& changes) {
    if (action.act != Act::reuse) changed_.insert(changes.begin(), changes.end());
    action.parent_changes = parent_changes_;
    actions_.push_back(std::move(action));
  }

  void create_missing(std::size_t index) {
    const auto& step = workflow_.steps[index];
    Action action{.act = Act::create,
                  .step = index,
                  .names = {},
                  .reason = "new",
                  .body = step.body,
                  .sends_file = step.upload.has_value()};
    json::array classifiers;
    for (std::size_t i = 0; i < step.makes.size(); ++i) {
      if (find(stored_, step.makes[i]) != nullptr) continue;
      action.names.push_back(step.makes[i]);
      if (step.service == kBuilder) classifiers.push_back(step.body.at("classifiersList").at(i));
    }
    if (action.names.empty()) return;
    if (step.service == kBuilder) action.body["classifiersList"] = std::move(classifiers);
    auto names = action.names;
    add(std::move(action), names);
  }

  void keep_up(std::size_t index, const StepView& view) {
    const auto& step = workflow_.steps[index];
    const auto& made_by = view.made_by();
    Action action{.act = Act::reuse, .step = index, .names = {view.name}, .reason = "equal", .body = {}};
    if (auto differs = difference(step, made_by.request); !differs.members.empty()) {
      action.act = Act::patch;
      action.reason = fmt::format("changed: {}", fmt::join(differs.members, ", "));
      action.body = std::move(differs.patch);
      if (differs.has_content()) send_all(action, step);
      action.sends_file = differs.has_content();
    } else if (auto why = why_again(step, view); !why.empty()) {
      again(action, step, view);
      action.follows_inputs = made_by.status == "finished";
      action.reason = std::move(why);
    } else if (!has_ended(view.status)) {
      action.reason = fmt::format("equal, {}", view.status);
      action.under_way = true;
    }
    add(std::move(action), {view.name});
  }

  // A rerun repeats the newest revision. Where that only typed the dataset, the whole request is sent once more instead.
  static void again(Action& action, const FileStep& step, const StepView& view) {
    bool newest_made_it = view.made_by().revision == view.revision;
    action.act = newest_made_it ? Act::rerun : Act::patch;
    if (!newest_made_it) send_all(action, step);
  }

  // What the file says counts, and what it leaves out as `action` has it already.
  static void send_all(Action& action, const FileStep& step) {
    for (const auto& member : step.body) action.body[member.key()] = member.value();
    for (auto key : {find_service(step.service)->name_key, std::string_view("name"), std::string_view("classifiersList")})
      action.body.erase(key);
  }

  std::string why_again(const FileStep& step, const StepView& view) const {
    const auto& made_by = view.made_by();
    if (has_ended(made_by.status) && made_by.status != "finished") {
      auto ended = view.made_by().revision == view.revision ? how_it_ended(view) : made_by.status;
      return "it " + ended;
    }
    if (auto parent = changed_parent(step); !parent.empty()) {
      bool takes_the_new_one = view.status == "waiting";  // a waiting step is bound again by the server
      return takes_the_new_one ? "" : fmt::format("'{}' changes", parent);
    }
    if (view.stale) return view.stale_reason.empty() ? "stale" : fmt::format("stale: {}", view.stale_reason);
    return "";
  }

  std::string changed_parent(const FileStep& step) const {
    auto found = std::ranges::find_if(step.uses, [&](const auto& name) { return changed_.contains(name); });
    return found == step.uses.end() ? "" : *found;
  }

  void type_dataset(std::size_t index) {
    const auto& step = workflow_.steps[index];
    Action action{.act = Act::create, .step = index, .names = {}, .reason = {}, .body = step.body};
    const auto* dataset = find(stored_, step.title);
    if (changed_.contains(step.title)) {
      action.reason = fmt::format("'{}' changes", step.title);
    } else if (dataset == nullptr || !is_typed(*dataset, step.body.at("types").get_object())) {
      action.reason = "new";
    } else {
      action = {.act = Act::reuse, .step = index, .names = {}, .reason = "equal", .body = {}};
      action.under_way = !has_ended(dataset->revisions.back().status);
    }
    add(std::move(action), {step.title});
  }

  const Workflow& workflow_;
  const Stored& stored_;
  std::set<std::string, std::less<>> changed_;
  bool parent_changes_ = false;  // of the step at hand
  std::vector<Action> actions_;
};

std::set<std::string, std::less<>> made_names(const Workflow& workflow) {
  std::set<std::string, std::less<>> names;
  for (const auto& step : workflow.steps) names.insert(step.makes.begin(), step.makes.end());
  return names;
}

// Code::conflict where names are taken and nothing else is wrong.
Status check_names(const Workflow& workflow, const Stored& stored) {
  Problems problems;
  bool only_taken = true;
  auto made = made_names(workflow);
  for (const auto& step : workflow.steps) {
    for (const auto& name : step.makes) {
      const auto* view = find(stored, name);
      if (view != nullptr && view->service != step.service)
        problems.add(step.pointer, step.where, fmt::format("the name '{}' is taken by a {} on the server", name, view->service));
    }
    for (const auto& name : step.uses) {
      if (made.contains(name) || find(stored, name) != nullptr) continue;
      auto others = made;
      for (const auto& own : step.makes) others.erase(own);
      auto near = nearest(name, others);
      problems.add(step.pointer, step.where,
                   fmt::format("neither the file nor the server has '{}'{}", name,
                               near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
      only_taken = false;
    }
  }
  if (!problems.any()) return {};
  return fail(std::move(problems).error(only_taken ? Code::conflict : Code::unacceptable));
}

}  // namespace

json::object types_of(const StepView& dataset) {
  json::object types;
  auto made_by = dataset.made_by().revision;
  for (const auto& revision : dataset.revisions) {
    bool stands = revision.status == "finished" || !has_ended(revision.status);
    if (revision.revision <= made_by || revision.operation != kDataType || !stands) continue;
    const auto* given = revision.request.if_contains("types");
    if (given == nullptr || !given->is_object()) continue;
    for (const auto& member : given->get_object()) types[member.key()] = member.value();
  }
  return types;
}

std::string_view to_string(Act act) {
  switch (act) {
    case Act::reuse: return "reuse";
    case Act::create: return "create";
    case Act::patch: return "patch";
    case Act::rerun: return "rerun";
  }
  return "";
}

std::vector<std::string> names_of(const Workflow& workflow) {
  auto names = made_names(workflow);
  for (const auto& step : workflow.steps) names.insert(step.uses.begin(), step.uses.end());
  return {names.begin(), names.end()};
}

Result<std::vector<Action>> make_plan(const Workflow& workflow, const Stored& stored) {
  LO_TRY(check_names(workflow, stored));
  LO_ASSIGN(auto order, order_steps(workflow));
  return Planner(workflow, stored).plan(order);
}

}  // namespace lo::workflow
