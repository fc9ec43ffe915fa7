#include "api/requests.h"

#include <algorithm>
#include <fmt/format.h>

namespace lo::api {
namespace {

// The environment that the steps name is one of their parents.
Status add_environment(const Context& context, Draft& draft) {
  auto name = string_or(draft.steps.front().request, "environment");
  if (name.empty()) return {};
  LO_ASSIGN(auto revision, bound_revision(context, name));
  if (revision && revision->operation != "environment")
    return fail_field(Code::unacceptable, "/environment", fmt::format("\"{}\" is no environment but a {} step", name, revision->operation));
  draft.mentions.push_back({.text = std::move(name), .pointer = "/environment"});
  return {};
}

// The newest request that made the step as a whole: not its dataType.
const json::object& creating_request(const StepRecord& record) {
  auto at = std::find_if(record.revisions.rbegin(), record.revisions.rend(),
                         [&](const catalog::Revision& revision) { return revision.operation == record.step.service; });
  return at->request;
}

json::object merge(json::object body, json::object change) {
  for (auto& member : change) body[member.key()] = std::move(member.value());
  return body;
}

bool names_any(const json::object& change, const std::vector<std::string>& keys) {
  return std::ranges::any_of(keys, [&](const auto& key) { return change.contains(key) && !change.at(key).is_null(); });
}

}  // namespace

bool needs_check(const Service& service, const Draft& draft) {
  return service.check || draft.steps.front().request.contains("environment");
}

Status check_draft(const Context& context, const Service& service, Draft& draft) {
  LO_TRY(add_environment(context, draft));
  return service.check ? service.check(draft, context) : Status{};
}

Result<Draft> changed_draft(const Context& context, const Service& service, const StepRecord& record, json::object change) {
  const auto& name = record.step.name;
  if (record.step.service != service.path)
    return fail(Code::not_found, fmt::format("there is no {} \"{}\"", service.path, name));
  if (service.upload) replace_source(*service.upload, change);
  LO_ASSIGN(auto draft, service.read(merge(service.body_of(name, creating_request(record)), std::move(change)), context));
  if (draft.steps.size() != 1 || draft.steps.front().name != name)
    return fail(Code::unacceptable, fmt::format("PATCH changes \"{}\" alone: it can neither rename nor multiply it", name));
  return draft;
}

engine::Revise revise_by(const Service& service, Draft draft) {
  auto& step = draft.steps.front();
  return {.name = std::move(step.name),
          .kind = engine::Revise::Kind::replace,
          .operation = service.path,
          .request = std::move(step.request),
          .mentions = std::move(draft.mentions)};
}

engine::Revise revise_by(DataTypeBody body) {
  return {.name = std::move(body.dataset),
          .kind = engine::Revise::Kind::amend,
          .operation = "transform/dataType",
          .request = std::move(body.request),
          .mentions = {}};
}

Awaitable<Result<std::vector<engine::Accepted>>> submit(const Context& context, Draft draft, std::optional<catalog::Receipt> receipt) {
  engine::Submission submission{.steps = std::move(draft.steps), .mentions = std::move(draft.mentions), .receipt = std::move(receipt)};
  co_return co_await await_callback<Result<std::vector<engine::Accepted>>>([&](auto done) {
    context.conductor->submit(std::move(submission), std::move(done));
  });
}

Awaitable<Result<engine::Accepted>> revise(const Context& context, engine::Revise revision) {
  co_return co_await await_callback<Result<engine::Accepted>>(
      [&](auto done) { context.conductor->revise(std::move(revision), std::move(done)); });
}

void replace_source(const UploadForm& form, json::object& change) {
  auto groups = form.sources;
  groups.push_back({"upload"});
  auto given = std::ranges::find_if(groups, [&](const auto& keys) { return names_any(change, keys); });
  if (given == groups.end()) return;
  for (auto group = groups.begin(); group != groups.end(); ++group)
    for (const auto& key : *group)
      if (group != given && !change.contains(key)) change[key] = nullptr;
}

}  // namespace lo::api
