#include "api/result_files.h"

#include <fmt/format.h>

#include "api/artifacts.h"
#include "api/file_answer.h"
#include "base/id.h"

namespace lo::api {
namespace {

using store::Kind;
using store::Manifest;

std::string content_type_of(const Manifest& blob) {
  return blob.type_name.contains('/') ? blob.type_name : "application/octet-stream";
}

// A part of the store as it lies there, where that is the wanted format: "" stands for the natural one.
std::optional<FileAnswer> stored_file(const Manifest& manifest, const std::string& name, std::string_view format) {
  auto answer = [&](std::string_view part, std::string type, std::string_view suffix) -> std::optional<FileAnswer> {
    const auto* found = manifest.part(part);
    if (found == nullptr) return std::nullopt;
    return FileAnswer{.path = std::string(part), .content_type = std::move(type), .file_name = name + std::string(suffix), .digest = found->digest};
  };
  if (manifest.kind == Kind::blob && format.empty())
    return answer("content", content_type_of(manifest), manifest.type_name == "image/png" ? ".png" : "");
  if (manifest.kind == Kind::documents && (format.empty() || format == "json")) return answer("documents.json", "application/json", ".json");
  if (manifest.kind == Kind::model && (format.empty() || format == "zip")) return answer("model.zip", "application/zip", ".zip");
  if (manifest.is_table() && (format == "parquet" || (format.empty() && manifest.kind != Kind::object)))
    return answer("rows.parquet", "application/vnd.apache.parquet", ".parquet");
  if (manifest.is_table() && format == "arrow") return answer("rows.arrow", "application/vnd.apache.arrow.file", ".arrow");
  return std::nullopt;
}

Answer send_part(const Context& context, const http::Request& request, const Manifest& manifest, FileAnswer file) {
  auto path = co_await context.pool->run([&] { return context.store->path_of(*manifest.part(file.path.string())); });
  if (!path) co_return std::unexpected(path.error());
  file.path = *std::move(path);
  co_return co_await answer_with_file(context, request, std::move(file));
}

// Waits for the only member of a job that belongs to no step.
class ExportListener final : public engine::JobListener {
 public:
  explicit ExportListener(Callback<engine::Outcome> done) : done_(std::move(done)) {}
  void progress(const std::string&, engine::RevisionKey, json::object) override {}
  void member_ended(const std::string&, engine::RevisionKey, engine::Outcome outcome) override { outcome_ = std::move(outcome); }
  void job_ended(const std::string&) override { done_(std::move(outcome_)); }

 private:
  Callback<engine::Outcome> done_;
  engine::Outcome outcome_;
};

engine::JobRequest export_job(const catalog::Revision& revision, std::string_view format) {
  engine::JobRequest job;
  job.token = make_token();
  json::object request{{"name", revision.name}};
  if (!format.empty()) request["format"] = format;
  job.members.push_back({.key = {}, .name = revision.name, .operation = "internal/export", .request = std::move(request)});
  job.inputs.push_back(
      {.name = revision.name, .key = revision.key, .operation = revision.operation, .manifest = revision.result});
  return job;
}

Answer send_exported(const Context& context, const http::Request& request, const catalog::Revision& revision,
                     std::string_view format) {
  if (is_following(context)) co_return fail(Code::elsewhere, "only the server that leads runs what makes this file: try again");
  auto job = export_job(revision, format);
  auto outcome = co_await await_callback<engine::Outcome>([&](auto done) {
    context.runner->start(std::move(job), std::make_shared<ExportListener>(std::move(done)));
  });
  if (outcome.state != State::finished) co_return fail(Code::unacceptable, outcome.exception);
  auto manifest = store::manifest_from_json(outcome.manifest);
  if (!manifest) co_return std::unexpected(manifest.error());
  // The file goes once it is sent: nothing refers to it.
  std::shared_ptr<void> keep(nullptr, [&context, result = outcome.manifest](void*) {
    context.pool->post([&context, result] { settle_result(context, result); });
  });
  const auto* part = manifest->part("content");
  if (part == nullptr) co_return fail(Code::internal, "an export has no content");
  FileAnswer file{.path = "content",
                  .content_type = string_or(outcome.facts, "contentType", "application/octet-stream"),
                  .file_name = string_or(outcome.facts, "fileName", revision.name),
                  .digest = part->digest,
                  .keep = std::move(keep)};
  co_return co_await send_part(context, request, *manifest, std::move(file));
}

}  // namespace

Result<FoundResult> wanted_result(const StepRecord& record, const http::Request& request) {
  LO_ASSIGN(auto number, whole_number(request, "revision", 0));
  FoundResult found{.revision = number > 0 ? record.find(static_cast<int>(number)) : record.last_good(), .manifest = {}};
  if (found.revision == nullptr || found.revision->state != State::finished)
    return fail(Code::not_found, number > 0 ? fmt::format("\"{}\" has no result of revision {}", record.step.name, number)
                                            : fmt::format("\"{}\" has no result yet", record.step.name));
  LO_ASSIGN(found.manifest, store::manifest_from_json(found.revision->result));
  return found;
}

http::Response not_yet(const Error& error, const StepRecord& record, const http::Request& request) {
  auto response = http::problem_response(error, request.path);
  if (!is_terminal(record.newest().state)) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Answer picture(const Context& context, const Service& service, std::string name, const http::Request& request) {
  auto record = co_await load_step(context, name);
  if (!record) co_return std::unexpected(record.error());
  if (record->step.service != service.path)
    co_return fail(Code::not_found, fmt::format("there is no {} \"{}\"", service.path, name));
  auto found = wanted_result(*record, request);
  if (!found) co_return not_yet(found.error(), *record, request);
  FileAnswer file{.path = "content", .content_type = content_type_of(found->manifest), .file_name = "", .digest = ""};
  const auto* part = found->manifest.part("content");
  if (part == nullptr) co_return fail(Code::internal, "a picture has no content");
  file.digest = part->digest;
  co_return co_await send_part(context, request, found->manifest, std::move(file));
}

Answer artifact(const Context& context, std::string name, const http::Request& request) {
  auto record = co_await load_step(context, name);
  if (!record) co_return std::unexpected(record.error());
  auto found = wanted_result(*record, request);
  if (!found) co_return not_yet(found.error(), *record, request);
  std::string format(request.query_value("format").value_or(""));
  auto file = stored_file(found->manifest, record->step.name, format);
  if (file) co_return co_await send_part(context, request, found->manifest, *std::move(file));
  co_return co_await send_exported(context, request, *found->revision, format);
}

}  // namespace lo::api
