#include "api/housekeeping.h"

#include <algorithm>
#include <map>

#include "api/artifacts.h"
#include "base/log.h"
#include "store/manifest.h"

namespace lo::api {
namespace {

Awaitable<Result<std::vector<engine::Retired>>> retire(const Context& context, bool dry_run) {
  engine::Retention keep{.revisions = context.keep.revisions};
  if (context.keep.revision_age) keep.ended_since = context.clock->now() - *context.keep.revision_age;
  co_return co_await await_callback<Result<std::vector<engine::Retired>>>(
      [&](auto done) { context.conductor->retire(keep, dry_run, std::move(done)); });
}

// Adds the bytes of what the revision has in the store, by digest.
Status add_sizes(const Context& context, catalog::RevisionKey key, std::map<std::string, std::int64_t>& sizes) {
  LO_ASSIGN(auto revision, context.catalog->revision(key));
  if (!revision) return {};
  LO_ASSIGN(auto manifest, store::manifest_from_json(revision->result.empty() ? json::object{{"kind", "none"}} : revision->result));
  for (const auto& part : manifest.parts) sizes[part.digest] = part.bytes;
  if (const auto* upload = revision->request.if_contains("upload"); upload != nullptr && upload->is_object()) {
    auto part = store::uploaded_part(upload->get_object());
    sizes[part.digest] = part.bytes;
  }
  return {};
}

// What the store would be rid of without these revisions. Blocks.
Result<SweptFiles> objects_of(const Context& context, const std::vector<engine::Retired>& revisions) {
  std::vector<catalog::RevisionKey> keys;
  std::map<std::string, std::int64_t> sizes;
  for (const auto& revision : revisions) {
    keys.push_back(revision.key);
    LO_TRY(add_sizes(context, revision.key, sizes));
  }
  LO_ASSIGN(auto digests, context.catalog->held_only_by(std::move(keys)));
  SweptFiles objects;
  for (const auto& digest : digests) {
    ++objects.count;
    objects.bytes += sizes[digest];
  }
  return objects;
}

// Blocks.
Result<std::int64_t> surplus_events(const Context& context) {
  LO_ASSIGN(auto first, context.catalog->first_event());
  LO_ASSIGN(auto last, context.catalog->last_event());
  return first == 0 ? 0 : std::max<std::int64_t>(0, last - first + 1 - std::max(context.keep.events, catalog::kKeptEvents));
}

Awaitable<Result<std::int64_t>> trim_events(const Context& context, bool dry_run) {
  if (dry_run) co_return co_await context.pool->run([&] { return surplus_events(context); });
  co_return co_await await_callback<Result<std::int64_t>>(
      [&](auto done) { context.catalog->trim_events(context.keep.events, std::move(done)); });
}

Awaitable<Result<SweptFiles>> sweep_objects(const Context& context, const std::vector<engine::Retired>& revisions, bool dry_run) {
  if (dry_run) co_return co_await context.pool->run([&] { return objects_of(context, revisions); });
  auto digests = co_await context.pool->run([&] { return context.catalog->garbage(); });
  if (!digests) co_return std::unexpected(digests.error());
  if (digests->empty()) co_return SweptFiles{};
  auto bytes = co_await collect_garbage(context);
  if (!bytes) co_return std::unexpected(bytes.error());
  co_return SweptFiles{.count = std::ssize(*digests), .bytes = *bytes};
}

Awaitable<Status> forget_receipts(const Context& context) {
  catalog::Batch batch{catalog::ForgetReceipts{context.clock->now() - context.keep.receipts}};
  co_return co_await await_callback<Status>([&](auto done) { context.catalog->commit(std::move(batch), std::move(done)); });
}

}  // namespace

Awaitable<Result<Swept>> sweep(const Context& context, bool dry_run) {
  Swept swept;
  auto revisions = co_await retire(context, dry_run);
  if (!revisions) co_return std::unexpected(revisions.error());
  swept.revisions = *std::move(revisions);
  auto objects = co_await sweep_objects(context, swept.revisions, dry_run);
  if (!objects) co_return std::unexpected(objects.error());
  swept.objects = *objects;
  auto logs = co_await context.pool->run([&] { return context.sweep_logs(dry_run); });
  if (!logs) co_return std::unexpected(logs.error());
  swept.logs = *logs;
  auto events = co_await trim_events(context, dry_run);
  if (!events) co_return std::unexpected(events.error());
  swept.events = *events;
  co_return swept;
}

Awaitable<void> keep_house(const Context& context) {
  if (auto swept = co_await sweep(context, false); !swept)
    log::warn("api: what is no longer needed is left for the next time: {}", swept.error().message);
  else if (!swept->revisions.empty() || swept->logs.count > 0)
    log::info("api: {} old revisions and {} logs are gone", swept->revisions.size(), swept->logs.count);
  if (auto forgotten = co_await forget_receipts(context); !forgotten)
    log::warn("api: answers of old requests are left for the next time: {}", forgotten.error().message);
}

}  // namespace lo::api
