#include "api/workflow_post.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "api/workflow_actions.h"
#include "api/workflow_removal.h"
#include "engine/schedule.h"

namespace lo::api {
namespace {

using workflow::Act;
using workflow::Action;
using workflow::Workflow;

Result<Workflow> read_body(const http::Request& request) {
  auto type = request.header("content-type").value_or("");
  LO_ASSIGN(auto document, type.starts_with("application/json") ? workflow::read_json(request.body) : workflow::read_yaml(request.body));
  LO_ASSIGN(auto flow, workflow::parse_workflow(document, ""));
  if (flow.schedule) LO_TRY(engine::read_schedule(json::object{{"schedule", *flow.schedule}}));
  return flow;
}

// The names that earlier posts made and this one does not have, of those that are still there.
std::vector<std::string> left_over(const catalog::Workflow& before, const Workflow& flow, const StoredSteps& stored) {
  auto names = workflow::made_by(flow);
  std::set<std::string> made(names.begin(), names.end());
  std::vector<std::string> left;
  std::ranges::copy_if(before.steps, std::back_inserter(left),
                       [&](const auto& name) { return !made.contains(name) && stored.records.contains(name); });
  return left;
}

// On disk when it returns. The change is no temporary of the call: with GCC 12 that one is destroyed twice.
Awaitable<Status> save(const Context& context, const catalog::Change& change) {
  catalog::Batch batch{change};
  co_return co_await await_callback<Status>([&](auto done) { context.catalog->commit(std::move(batch), std::move(done)); });
}

std::string_view past_of(Act act) {
  switch (act) {
    case Act::reuse: return "reused";
    case Act::create: return "created";
    case Act::patch: return "changed";
    case Act::rerun: return "run again";
  }
  return "";
}

// A dataType step has no name of its own: it stands under that of its dataset.
std::vector<std::string> names_of(const Workflow& flow, const Action& action) {
  return action.names.empty() ? std::vector{flow.steps[action.step].title} : action.names;
}

json::array steps_shown(const Workflow& flow, const std::vector<Action>& actions) {
  json::array out;
  for (const auto& action : actions)
    for (const auto& name : names_of(flow, action))
      out.push_back({{"name", name},
                     {"service", flow.steps[action.step].service},
                     {"action", past_of(action.act)},
                     {"reason", action.reason},
                     {"finished", action.act == Act::reuse && !action.under_way}});
  return out;
}

// One post on its way.
class Post {
 public:
  Post(const Context& context, Workflow flow, std::string user) : context_(context), flow_(std::move(flow)), user_(std::move(user)) {}

  Awaitable<Status> decide() {
    auto before = co_await context_.pool->run([&] { return context_.catalog->find_workflow(flow_.name); });
    if (!before) co_return std::unexpected(before.error());
    before_ = *std::move(before);
    auto names = workflow::names_of(flow_);
    if (before_) names.insert(names.end(), before_->steps.begin(), before_->steps.end());
    auto stored = co_await look_up(context_, std::move(names));
    if (!stored) co_return std::unexpected(stored.error());
    stored_ = *std::move(stored);
    auto actions = co_await context_.pool->run([&] { return workflow::make_plan(flow_, stored_.views); });
    if (!actions) co_return std::unexpected(actions.error());
    actions_ = *std::move(actions);
    if (auto room = room_for_actions(); !room) co_return room;
    co_return co_await check_actions(context_, flow_, stored_, actions_, user_);
  }

  Awaitable<Status> carry_out_all(bool prune) {
    auto left = before_ ? left_over(*before_, flow_, stored_) : std::vector<std::string>{};
    if (auto saved = co_await record(left); !saved) co_return saved;
    for (const auto& action : actions_) {
      changed_ = changed_ || action.act != Act::reuse;
      if (auto done = co_await carry_out(context_, flow_, stored_, action, user_); !done) co_return done;
    }
    if (prune && !left.empty()) co_return co_await remove(std::move(left));
    for (auto& name : left) removal_.kept.push_back({.name = std::move(name), .why = "no longer in the workflow"});
    co_return Status{};
  }

  json::object answer() const {
    json::array removed;
    for (const auto& step : removal_.kept) removed.push_back({{"name", step.name}, {"reason", step.why}});
    return {{"result", url()},
            {"name", flow_.name},
            {"steps", steps_shown(flow_, actions_)},
            {"removed", std::move(removed)},
            {"pruned", json::value_from(removal_.removed)}};
  }

  bool changed() const { return changed_; }
  std::string url() const { return fmt::format("{}/workflow/{}", kPrefix, flow_.name); }

  std::vector<std::string> awaited() const {
    std::vector<std::string> names;
    for (const auto& action : actions_) std::ranges::copy(names_of(flow_, action), std::back_inserter(names));
    return names;
  }

 private:
  // A full disk is in the way of what runs, not of what stays.
  Status room_for_actions() const {
    auto runs = std::ranges::any_of(actions_, [](const auto& action) { return action.act != Act::reuse; });
    return runs ? context_.check_room() : Status{};
  }

  // Puts the workflow on record unless it stands there just so.
  Awaitable<Status> record(const std::vector<std::string>& left) {
    auto now = context_.clock->now();
    record_ = {.name = flow_.name,
               .created = before_ ? before_->created : now,
               .changed = before_ ? before_->changed : now,
               .steps = workflow::made_by(flow_),
               .document = workflow::document_of(flow_)};
    record_.steps.insert(record_.steps.end(), left.begin(), left.end());
    if (before_ && *before_ == record_) co_return Status{};
    changed_ = true;
    record_.changed = now;
    co_return co_await save_record();
  }

  Awaitable<Status> remove(std::vector<std::string> left) {
    auto removal = co_await remove_steps(context_, std::move(left), flow_.name);
    if (!removal) co_return std::unexpected(removal.error());
    removal_ = *std::move(removal);
    if (removal_.removed.empty()) co_return Status{};
    changed_ = true;
    std::erase_if(record_.steps, [&](const auto& name) { return std::ranges::find(removal_.removed, name) != removal_.removed.end(); });
    co_return co_await save_record();
  }

  Awaitable<Status> save_record() {
    catalog::Change change = catalog::PutWorkflow{record_};
    co_return co_await save(context_, change);
  }

  const Context& context_;
  const Workflow flow_;
  const std::string user_;  // whose token it came with
  std::optional<catalog::Workflow> before_;
  StoredSteps stored_;
  std::vector<Action> actions_;
  catalog::Workflow record_;
  Removal removal_;
  bool changed_ = false;
};

}  // namespace

Accepting post_workflow(const Context& context, const http::Request& request, const Ticket& ticket) {
  auto flow = co_await context.pool->run([&] { return read_body(request); });
  if (!flow) co_return std::unexpected(flow.error());
  Post post(context, *std::move(flow), request.user);
  if (auto sound = co_await post.decide(); !sound) co_return std::unexpected(sound.error());
  if (auto done = co_await post.carry_out_all(flag(request, "prune")); !done) co_return std::unexpected(done.error());
  Acceptance acceptance{.status = post.changed() ? 201U : 200U, .body = post.answer(), .location = post.url(), .steps = post.awaited()};
  if (auto receipt = ticket.receipt(acceptance)) {
    catalog::Change change = catalog::PutReceipt{*std::move(receipt)};
    if (auto saved = co_await save(context, change); !saved) co_return std::unexpected(saved.error());
  }
  co_return acceptance;
}

}  // namespace lo::api
