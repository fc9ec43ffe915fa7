#include "api/workflow_removal.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>

#include "api/artifacts.h"
#include "base/log.h"

namespace lo::api {
namespace {

struct Candidate {
  std::string name;
  std::string service;
};

// Which other workflow has a name, by name.
using Owners = std::map<std::string, std::string, std::less<>>;

// Blocks.
Result<Owners> other_owners(const Context& context, const std::string& of_workflow) {
  LO_ASSIGN(auto all, context.catalog->list_workflows(std::numeric_limits<std::int64_t>::max(), 0));
  Owners owners;
  for (const auto& workflow : all)
    for (const auto& name : workflow.steps)
      if (workflow.name != of_workflow) owners.try_emplace(name, workflow.name);
  return owners;
}

// Blocks.
Result<std::vector<Candidate>> existing(const Context& context, const std::vector<std::string>& names) {
  std::vector<Candidate> steps;
  for (const auto& name : names) {
    LO_ASSIGN(auto step, context.catalog->find_step(name));
    if (step) steps.push_back({.name = name, .service = step->service});
  }
  return steps;
}

// A step that was made from `name`; "" when there is none.
Awaitable<std::string> user_of(const Context& context, std::string name) {
  auto lineage = co_await await_callback<std::optional<engine::Lineage>>(
      [&](auto done) { context.conductor->lineage(name, engine::Direction::down, std::move(done)); });
  if (!lineage) co_return std::string();
  auto user = std::ranges::find_if(lineage->nodes, [&](const auto& node) { return node.name != name; });
  co_return user == lineage->nodes.end() ? std::string() : user->name;
}

Awaitable<Status> remove_one(const Context& context, const Candidate& step) {
  // A conflict says that it has ended, which is as well.
  auto cancelled = co_await await_callback<Status>([&](auto done) { context.conductor->cancel(step.name, std::move(done)); });
  if (!cancelled && cancelled.error().code != Code::conflict) co_return cancelled;
  auto removed = co_await await_callback<Result<engine::Removed>>(
      [&](auto done) { context.conductor->remove(step.name, step.service, false, std::move(done)); });
  co_return removed ? Status{} : std::unexpected(removed.error());
}

// Goes over what is left until nothing goes any more: children leave before their parents.
class Remover {
 public:
  Remover(const Context& context, Owners owners) : context_(context), owners_(std::move(owners)) {}

  Awaitable<Removal> run(std::vector<Candidate> left) {
    for (bool goes_on = true; goes_on;) {
      goes_on = false;
      removal_.kept.clear();
      std::vector<Candidate> next;
      for (const auto& step : left) {
        auto why = co_await remove(step);
        if (why.empty()) {
          goes_on = true;
          continue;
        }
        removal_.kept.push_back({.name = step.name, .why = std::move(why)});
        next.push_back(step);
      }
      left = std::move(next);
    }
    co_return std::move(removal_);
  }

 private:
  // Why it stays; "" when it is gone.
  Awaitable<std::string> remove(const Candidate& step) {
    if (auto owner = owners_.find(step.name); owner != owners_.end())
      co_return fmt::format("the workflow '{}' has it too", owner->second);
    auto user = co_await user_of(context_, step.name);
    if (!user.empty()) co_return fmt::format("used by '{}'", user);
    auto removed = co_await remove_one(context_, step);
    if (!removed && removed.error().code != Code::not_found) co_return removed.error().message;
    removal_.removed.push_back(step.name);
    co_return std::string();
  }

  const Context& context_;
  const Owners owners_;
  Removal removal_;
};

}  // namespace

Awaitable<Result<Removal>> remove_steps(const Context& context, std::vector<std::string> names, std::string of_workflow) {
  auto owners = co_await context.pool->run([&] { return other_owners(context, of_workflow); });
  if (!owners) co_return std::unexpected(owners.error());
  auto steps = co_await context.pool->run([&] { return existing(context, names); });
  if (!steps) co_return std::unexpected(steps.error());
  Remover remover(context, *std::move(owners));
  auto removal = co_await remover.run(*std::move(steps));
  auto freed = co_await collect_garbage(context);
  if (!freed) log::warn("api: files of deleted steps are left for the next time: {}", freed.error().message);
  co_return removal;
}

}  // namespace lo::api
