#include "cli/post_workflow.h"

#include <fmt/format.h>

#include <algorithm>

#include "workflow/plan.h"
#include "workflow/services.h"

namespace lo::cli {
namespace {

using workflow::Act;
using workflow::Action;

Result<workflow::Stored> look_up(ApiClient& api, Patience& patience, const std::vector<std::string>& names) {
  workflow::Stored stored;
  for (const auto& name : names) {
    LO_ASSIGN(auto view, patience.ask([&] { return api.find_step(name); }));
    if (view) stored.emplace(name, *std::move(view));
  }
  return stored;
}

// The steps whose files are to be sent, and those that they need.
std::set<std::size_t> needed_for_files(const workflow::Workflow& flow, const std::vector<Action>& actions) {
  std::set<std::size_t> needed;
  std::set<std::string, std::less<>> names;
  for (auto action = actions.rbegin(); action != actions.rend(); ++action) {  // children before their parents
    const auto& step = flow.steps[action->step];
    bool is_used = std::ranges::any_of(step.makes, [&](const auto& name) { return names.contains(name); });
    if (!action->sends_file && !is_used) continue;
    needed.insert(action->step);
    names.insert(step.uses.begin(), step.uses.end());
  }
  return needed;
}

// The server has it already: its answer was lost.
Result<bool> has_arrived(ApiClient& api, const workflow::FileStep& step) {
  LO_ASSIGN(auto view, api.find_step(step.title));
  if (!view || view->service != step.service) return false;
  if (!step.upload) return true;
  const auto* upload = view->made_by().request.if_contains(workflow::kUpload);
  return upload != nullptr && upload->is_object() && string_or(upload->get_object(), "digest") == step.upload->digest;
}

Status send_once(ApiClient& api, const LocalWorkflow& local, const Action& action) {
  const auto& step = local.flow.steps[action.step];
  auto route = action.act == Act::patch ? fmt::format("{}/{}", step.service, url_escaped(step.title)) : step.service;
  std::string_view method = action.act == Act::patch ? "PATCH" : "POST";
  if (action.sends_file) return api.upload(method, route, local.files.at(action.step), action.body);
  auto answer = api.call(method, route, write_json(action.body));
  return answer ? Status{} : std::unexpected(std::move(answer).error());
}

Status send(ApiClient& api, Patience& patience, const LocalWorkflow& local, const Action& action) {
  const auto& step = local.flow.steps[action.step];
  bool cut = false;
  auto sent = patience.ask([&]() -> Status {
    if (cut) {
      LO_ASSIGN(bool is_there, has_arrived(api, step));
      if (is_there) return {};
    }
    auto once = send_once(api, local, action);
    cut = cut || (!once && once.error().code == Code::unavailable);
    return once;
  });
  if (sent || sent.error().code == Code::cancelled) return sent;
  sent.error().message = fmt::format("{}: '{}': {}", step.where, step.title, sent.error().message);
  return sent;
}

// Gives what was done, by name.
Result<std::map<std::string, std::string, std::less<>>> send_files(ApiClient& api, Patience& patience, const LocalWorkflow& local) {
  std::map<std::string, std::string, std::less<>> done;
  if (local.files.empty()) return done;
  LO_ASSIGN(auto stored, look_up(api, patience, workflow::names_of(local.flow)));
  auto actions = workflow::make_plan(local.flow, stored);
  if (!actions) return std::unexpected(std::move(actions).error());
  auto needed = needed_for_files(local.flow, *actions);
  for (const auto& action : *actions) {
    bool can_send = action.sends_file ? local.files.contains(action.step) : action.act == Act::create;
    if (!can_send || !needed.contains(action.step)) continue;
    LO_TRY(send(api, patience, local, action));
    done[local.flow.steps[action.step].title] = action.act == Act::create ? "created" : "changed";
  }
  return done;
}

// What the server says of the posted document, with the lines of the file.
Error with_lines(Error error, const workflow::Document& document) {
  if (error.fields.empty()) return error;
  error.message.clear();
  for (const auto& [pointer, detail] : error.fields)
    error.message += fmt::format("{}{}: {}", error.message.empty() ? "" : "\n", document.where(pointer), detail);
  return error;
}

std::vector<json::object> objects_in(const json::object& answer, std::string_view key) {
  std::vector<json::object> out;
  const auto* list = answer.if_contains(key);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& element : list->get_array())
    if (element.is_object()) out.push_back(element.get_object());
  return out;
}

bool has_finished(const json::object& step) {
  const auto* finished = step.if_contains("finished");
  return finished != nullptr && finished->is_bool() && finished->get_bool();
}

void note_step(Posted& posted, Screen& screen, const json::object& step) {
  auto name = string_or(step, "name"), action = string_or(step, "action");
  bool types = string_or(step, "service") == workflow::kDataType;
  if (std::ranges::find(posted.names, name) == posted.names.end()) posted.names.push_back(name);
  if (types && !has_finished(step)) posted.typing.insert(name);
  if (action == "reused" && (types || posted.what_was_done.contains(name))) return;
  if (action != "reused") screen.say(fmt::format("{} {} ({})", types ? "typed" : action, name, string_or(step, "reason")));
  if (types)
    posted.what_was_done.try_emplace(name, "typed");
  else
    posted.what_was_done[name] = action;
}

void tell_removed(Screen& screen, const json::object& answer) {
  for (const auto& step : objects_in(answer, "removed"))
    screen.say(fmt::format("kept {} ({})", string_or(step, "name"), string_or(step, "reason")));
  if (const auto* pruned = answer.if_contains("pruned"); pruned != nullptr && pruned->is_array())
    for (const auto& name : pruned->get_array())
      if (name.is_string()) screen.say(fmt::format("deleted {}", std::string_view(name.get_string())));
}

}  // namespace

Result<Posted> post_workflow(ApiClient& api, Patience& patience, Screen& screen, const LocalWorkflow& local, bool prune) {
  Posted posted;
  LO_ASSIGN(posted.what_was_done, send_files(api, patience, local));
  for (const auto& [name, done] : posted.what_was_done) screen.say(fmt::format("{} {} (its file)", done, name));
  auto document = workflow::document_of(local.flow);
  auto answer = patience.ask([&] { return api.post_workflow(document, prune); });
  if (!answer) return fail(with_lines(std::move(answer).error(), local.document));
  for (const auto& step : objects_in(*answer, "steps")) note_step(posted, screen, step);
  tell_removed(screen, *answer);
  return posted;
}

}  // namespace lo::cli
