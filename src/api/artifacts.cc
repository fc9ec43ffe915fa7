#include "api/artifacts.h"

#include "api/handlers.h"
#include "base/fault.h"
#include "base/log.h"

namespace lo::api {
namespace {

struct Collected {
  std::int64_t bytes = 0;
  std::vector<std::string> digests;
};

// Blocks.
Result<Collected> remove_files(const Context& context) {
  Collected collected;
  LO_ASSIGN(auto digests, context.catalog->garbage());
  LO_TRY(fault_point("catalog.delete.after"));
  for (auto& digest : digests) {
    // Removing takes its time, and what was garbage when it began may have been made again; or another server leads by now, and knows better.
    LO_ASSIGN(auto still, context.catalog->unreferenced({digest}));
    if (still.empty()) continue;
    if (is_following(context)) return fail(Code::unavailable, "another server leads now: it removes what is no longer needed");
    LO_ASSIGN(auto freed, context.store->remove(digest));
    if (!freed) continue;  // pinned: it is being published again
    collected.bytes += *freed;
    collected.digests.push_back(std::move(digest));
  }
  return collected;
}

}  // namespace

Awaitable<Result<std::int64_t>> collect_garbage(const Context& context) {
  auto collected = co_await context.pool->run([&] { return remove_files(context); });
  if (!collected) co_return std::unexpected(collected.error());
  if (collected->digests.empty()) co_return collected->bytes;
  catalog::Batch batch;
  batch.emplace_back(catalog::ForgetGarbage{std::move(collected->digests)});
  auto forgotten = co_await await_callback<Status>(
      [&](auto done) { context.catalog->commit(std::move(batch), std::move(done)); });
  if (!forgotten) co_return std::unexpected(forgotten.error());
  co_return collected->bytes;
}

Status settle(const Context& context, const store::Manifest& manifest) {
  context.store->unpin(manifest);
  std::vector<std::string> digests;
  for (const auto& part : manifest.parts)
    if (!part.inline_data && !part.digest.empty()) digests.push_back(part.digest);
  LO_ASSIGN(auto unreferenced, context.catalog->unreferenced(std::move(digests)));
  for (const auto& digest : unreferenced)
    if (!is_following(context)) LO_TRY(context.store->remove(digest));
  return {};
}

void settle_result(const Context& context, const json::object& result) {
  auto manifest = store::manifest_from_json(result);
  auto settled = manifest ? settle(context, *manifest) : Status(std::unexpected(manifest.error()));
  if (!settled) log::warn("api: a refused result is left for the next start: {}", settled.error().message);
}

}  // namespace lo::api
