#include "api/workflow_actions.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "api/ownership.h"
#include "api/requests.h"
#include "base/fault.h"
#include "workflow/services.h"

namespace lo::api {
namespace {

using workflow::Act;
using workflow::Action;
using workflow::FileStep;

// What an action asks for: one of the two.
struct Request {
  std::optional<Draft> draft;
  std::optional<DataTypeBody> types;
};

Status refuse_missing_file(const FileStep& step) {
  return fail_field(Code::unacceptable, "/upload",
                    fmt::format("the file of '{}' (digest {}) is not on this server: send it to {} first", step.title,
                                step.upload->digest, step.service));
}

// Reads what create or patch sends. `record` is the step to patch.
Result<Request> read_request(const Context& context, const FileStep& step, const Action& action, const StepRecord* record, std::string_view user) {
  if (action.sends_file) LO_TRY(refuse_missing_file(step));
  Request request;
  if (step.service == workflow::kDataType) {
    LO_ASSIGN(request.types, read_data_type(action.body));
    return request;
  }
  const auto& service = *find_service(step.service);
  if (action.act == Act::create) {
    auto body = action.body;
    LO_TRY(set_owner(body, user));
    LO_ASSIGN(request.draft, service.read(body, context));
  } else {
    LO_ASSIGN(request.draft, changed_draft(context, service, *record, action.body));
  }
  return request;
}

// Blocks.
Status check_request(const Context& context, const FileStep& step, Request& request) {
  if (request.types) return check_data_type(*request.types, context);
  return check_draft(context, *find_service(step.service), *request.draft);
}

void add_problems(workflow::Problems& problems, const FileStep& step, const Error& error) {
  auto where = [&](const std::string& pointer) { return step.where == step.pointer ? pointer : step.where; };
  if (error.fields.empty()) problems.add(step.pointer, where(step.pointer), error.message);
  for (const auto& field : error.fields) {
    auto pointer = step.pointer + field.pointer;
    problems.add(pointer, where(pointer), field.detail);
  }
}

const StepRecord* record_of(const StoredSteps& stored, const Action& action) {
  if (action.names.empty()) return nullptr;
  auto found = stored.records.find(action.names.front());
  return found == stored.records.end() ? nullptr : &found->second;
}

bool sends_request(const Action& action) { return action.act == Act::create || action.act == Act::patch; }

// References to what the workflow makes are bound when that is there.
engine::Conductor::Question question_of(const Draft& draft, const std::set<std::string>& made) {
  engine::Conductor::Question question{.request = draft.steps.front().request, .mentions = {}};
  std::ranges::copy_if(draft.mentions, std::back_inserter(question.mentions), [&](const engine::Mention& mention) {
    return !made.contains(mention.text.substr(0, mention.text.find('@')));
  });
  return question;
}

Error at(const FileStep& step, const Error& error) {
  workflow::Problems problems;
  add_problems(problems, step, error);
  return std::move(problems).error(error.code);
}

Awaitable<Status> send(const Context& context, const FileStep& step, const Action& action, const StepRecord* record, std::string_view user) {
  auto prepare = [&]() -> Result<Request> {
    LO_ASSIGN(auto request, read_request(context, step, action, record, user));
    LO_TRY(check_request(context, step, request));
    return request;
  };
  auto request = co_await context.pool->run(prepare);
  if (!request) co_return std::unexpected(request.error());
  if (request->draft)  // all was looked at before the first step was sent: what fails since is no reason to leave the rest out
    for (auto& mention : request->draft->mentions) mention.despite_failure = true;
  if (request->draft && action.act == Act::create) {
    auto accepted = co_await submit(context, *std::move(request->draft));
    co_return accepted ? Status{} : std::unexpected(accepted.error());
  }
  auto revision = request->types ? revise_by(*std::move(request->types))
                                 : revise_by(*find_service(step.service), *std::move(request->draft));
  revision.automatic = action.follows_inputs;
  auto accepted = co_await revise(context, std::move(revision));
  co_return accepted ? Status{} : std::unexpected(accepted.error());
}

// The server itself gives a step that failed with its input a new revision as soon as the input has one: then it is done.
Awaitable<Status> rerun(const Context& context, const Action& action, const StepRecord& seen) {
  auto name = seen.step.name;
  auto record = co_await load_step(context, name);
  if (!record) co_return std::unexpected(record.error());
  if (record->newest().key.revision > seen.newest().key.revision) co_return Status{};
  auto again = engine::again(record->newest());
  if (again.kind != engine::Revise::Kind::amend && !is_terminal(record->newest().state)) again.kind = engine::Revise::Kind::replace;
  again.automatic = action.follows_inputs;
  again.scheduled_for.reset();
  auto accepted = co_await revise(context, std::move(again));
  if (accepted || accepted.error().code != Code::conflict) co_return accepted ? Status{} : std::unexpected(accepted.error());
  // Commits are done in order: after an empty one everything that the conductor had accepted before can be read.
  auto on_disk = co_await await_callback<Status>([&](auto done) { context.catalog->commit({}, std::move(done)); });
  if (!on_disk) co_return on_disk;
  auto now = co_await load_step(context, name);
  bool begun = now && now->newest().key.revision > seen.newest().key.revision;
  co_return begun ? Status{} : std::unexpected(accepted.error());
}

}  // namespace

Awaitable<Status> check_actions(const Context& context, const workflow::Workflow& flow, const StoredSteps& stored,
                                const std::vector<Action>& actions, std::string_view user) {
  workflow::Problems problems;
  std::vector<engine::Conductor::Question> questions;
  std::vector<const FileStep*> asked;
  auto names = workflow::made_by(flow);
  std::set<std::string> made(names.begin(), names.end());
  co_await context.pool->run([&] {
    for (const auto& action : actions) {
      const auto& step = flow.steps[action.step];
      if (!sends_request(action)) continue;
      auto request = read_request(context, step, action, record_of(stored, action), user);
      Status sound = request ? Status{} : std::unexpected(request.error());
      if (sound && !action.parent_changes) sound = check_request(context, step, *request);
      if (!sound) {
        add_problems(problems, step, sound.error());
      } else if (request->draft) {
        questions.push_back(question_of(*request->draft, made));
        asked.push_back(&step);
      }
    }
    return true;
  });
  auto answers = co_await await_callback<std::vector<Status>>(
      [&](auto done) { context.conductor->check(std::move(questions), std::move(done)); });
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (!answers[i]) add_problems(problems, *asked[i], answers[i].error());
  if (!problems.any()) co_return Status{};
  co_return fail(std::move(problems).error(Code::unacceptable));
}

Awaitable<Status> carry_out(const Context& context, const workflow::Workflow& flow, const StoredSteps& stored, const Action& action,
                            std::string_view user) {
  const auto& step = flow.steps[action.step];
  if (action.act == Act::reuse) co_return Status{};
  if (auto passed = fault_point("workflow.step"); !passed) co_return passed;
  const auto* record = record_of(stored, action);
  Status done;
  if (action.act == Act::rerun)
    done = co_await rerun(context, action, *record);
  else
    done = co_await send(context, step, action, record, user);
  co_return done ? Status{} : std::unexpected(at(step, done.error()));
}

}  // namespace lo::api
