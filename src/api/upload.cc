#include "api/upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fmt/format.h>
#include <vector>

#include "api/artifacts.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"

namespace lo::api {
namespace {

constexpr std::size_t kBuffer = 1u << 20;
constexpr const char* kContent = "content";

// Blocks.
Status write_all(int fd, std::span<const char> bytes) {
  while (!bytes.empty()) {
    auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("the upload cannot be stored", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// As much as the client sends until the buffer is full; less only at the end.
Awaitable<Result<std::size_t>> fill(http::BodyReader& body, std::span<char> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    auto got = co_await body.read(buffer.subspan(filled));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    filled += *got;
  }
  co_return filled;
}

Awaitable<Result<std::uint64_t>> copy_body(const Context& context, http::BodyReader& body, int fd) {
  std::vector<char> buffer(kBuffer);
  std::uint64_t total = 0;
  for (;;) {
    auto filled = co_await fill(body, buffer);
    if (!filled) co_return std::unexpected(filled.error());
    if (*filled == 0) co_return total;
    total += *filled;
    if (total > context.upload_limit)
      co_return fail(Code::too_large, fmt::format("an upload has at most {} bytes", context.upload_limit));
    auto written = co_await context.pool->run([&] { return write_all(fd, std::span(buffer.data(), *filled)); });
    if (!written) co_return std::unexpected(written.error());
  }
}

store::Manifest blob_draft() {
  store::Manifest draft;
  draft.kind = store::Kind::blob;
  draft.parts.push_back({.name = kContent, .digest = {}, .bytes = 0, .inline_data = {}});
  return draft;
}

store::Manifest blob_of(const json::object& upload) {
  auto manifest = blob_draft();
  manifest.parts.front().digest = string_or(upload, "digest");
  return manifest;
}

}  // namespace

Awaitable<Result<json::object>> receive_upload(const Context& context, http::BodyReader& body) {
  auto staging = co_await context.pool->run([&] { return context.store->stage(make_token()); });
  if (!staging) co_return std::unexpected(staging.error());
  auto path = staging->path() / kContent;
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) co_return fail_errno("the upload cannot be stored", errno);
  auto bytes = co_await copy_body(context, body, file.get());
  if (!bytes) co_return std::unexpected(bytes.error());
  if (*bytes == 0) co_return fail(Code::unacceptable, "the upload is empty");
  file.reset();
  auto manifest = co_await context.pool->run([&] { return context.store->publish(*std::move(staging), blob_draft()); });
  if (!manifest) co_return std::unexpected(manifest.error());
  const auto& part = manifest->parts.front();
  co_return json::object{{"digest", part.digest}, {"bytes", part.bytes}};
}

Awaitable<void> settle_upload(const Context& context, const json::object& body) {
  const auto* upload = body.if_contains("upload");
  if (upload == nullptr || !upload->is_object()) co_return;
  auto settled = co_await context.pool->run([&] { return settle(context, blob_of(upload->as_object())); });
  if (!settled) log::warn("api: an upload that was refused is left for the next start: {}", settled.error().message);
}

}  // namespace lo::api
