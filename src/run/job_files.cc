#include "run/job_files.h"

#include <sys/stat.h>

#include <fcntl.h>

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "base/fd.h"
#include "base/log.h"
#include "run/checkpoints.h"
#include "run/verdict.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxResult = 16 << 20;
constexpr std::size_t kMostInMessage = 56 * 1024;  // of a packet's 64 kB: something else stands in it, too
constexpr std::int64_t kMostInline = 16 * 1024;    // of an input

Status make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail_errno("cannot make " + path.string(), error.value());
  ::chmod(path.c_str(), 0700);
  return {};
}

Status write_private(const fs::path& path, std::string_view text) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return fail_errno("cannot create " + path.string(), errno);
  while (!text.empty()) {
    auto written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write " + path.string(), errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

json::value spark_json(const std::optional<SparkTarget>& spark) {
  if (!spark) return nullptr;
  return {{"url", spark->url}, {"token", spark->token}, {"session", spark->session}};
}

std::vector<fs::path> paths_of(const std::vector<store::Staging>& stagings) {
  std::vector<fs::path> paths;
  for (const auto& staging : stagings) paths.push_back(staging.path());
  return paths;
}

// A small object needs no file.
bool goes_along(const store::Manifest& manifest, const store::Part& part) {
  return manifest.kind == store::Kind::object && manifest.parts.size() == 1 && part.inline_data && part.bytes <= kMostInline;
}

// A file that a request came with, by the path at which a step can read it.
Status add_uploads(const engine::JobRequest& job, store::Store& store, json::object& step) {
  for (std::size_t i = 0; i < job.members.size(); ++i) {
    const auto* upload = job.members[i].request.if_contains("upload");
    if (upload == nullptr || !upload->is_object()) continue;
    LO_ASSIGN(auto path, store.path_of(store::uploaded_part(upload->get_object())));
    step["members"].as_array()[i].as_object()["upload"] = path.string();
  }
  return {};
}

bool needs_disk(const engine::JobRequest& job) {
  auto reads_files = [](const engine::Input& input) {
    auto manifest = store::manifest_from_json(input.manifest);
    return !manifest || !std::ranges::all_of(manifest->parts, [&](const store::Part& part) { return goes_along(*manifest, part); });
  };
  auto has_files = [](const engine::Member& member) { return member.request.contains("upload") || member.request.contains("checkpoint"); };
  return job.members.size() > 1 || std::ranges::any_of(job.members, has_files) || std::ranges::any_of(job.inputs, reads_files);
}

Result<std::vector<store::Staging>> make_stagings(const engine::JobRequest& job, store::Store& store) {
  std::vector<store::Staging> stagings;
  for (std::size_t i = 0; i < job.members.size(); ++i) {
    LO_ASSIGN(auto staging, store.reserve(fmt::format("{}-{}", job.token, i)));
    stagings.push_back(std::move(staging));
  }
  return stagings;
}

// Of the request's connection, which may have been taken away from the server since the request was accepted.
Result<std::string> database_of(const engine::JobRequest& job, const RunContext& context) {
  auto name = string_or(job.members.front().request, "connection");
  const auto& connections = context.options.connections;
  if (auto found = connections.find(name); found != connections.end()) return found->second;
  return fail(Code::unavailable, fmt::format("the server has no connection '{}' any more", name));
}

bool fits_message(std::size_t bytes) { return bytes <= kMostInMessage; }

// By message where it fits into one, else by file.
Status add_step(JobFiles& files, json::object step) {
  auto text = json::serialize(step);
  if (fits_message(text.size())) {
    files.work["step"] = std::move(step);
    return {};
  }
  LO_TRY(make_folder(files.folder));
  auto path = files.folder / "step.json";
  files.work["step_file"] = path.string();
  return write_private(path, text);
}

Status fill(JobFiles& files, const engine::JobRequest& job, const RunContext& context, const std::optional<SparkTarget>& spark) {
  auto& store = *context.options.store;
  LO_ASSIGN(auto checkpoint, make_checkpoint(context.options.data, job));
  if (checkpoint) context.checkpoints = true;
  json::object inputs;
  for (const auto& input : job.inputs) {
    LO_ASSIGN(inputs[input.name], input_json(input, store));
  }
  LO_ASSIGN(files.stagings, make_stagings(job, store));
  auto step = step_json(job, paths_of(files.stagings), std::move(inputs), spark);
  LO_TRY(add_uploads(job, store, step));
  if (checkpoint) step["checkpoint"] = checkpoint->string();
  if (context.options.gpus > 0) step["gpus"] = json::value_from(job.gpus);
  step["environments"] = context.environments_folder().string();
  step["modules"] = json::value_from(context.options.python.tool_modules);
  if (const auto& networks = context.options.python.private_networks) step["networks"] = json::value_from(*networks);
  files.work = {{"token", job.token}, {"limits", limits_json(job.limits.memory_bytes, context.options.max_processes)}};
  // It has a password: beside the step, which may become a file.
  if (job.members.front().operation == "dataset/sql") {
    LO_ASSIGN(files.work["database"], database_of(job, context));
  }
  return add_step(files, std::move(step));
}

engine::Outcome unreadable(std::string_view why) {
  return failed(Reason::error, fmt::format("the step's result cannot be taken: {}", why));
}

engine::Outcome failed_outcome(const json::object& result) {
  auto reason = parse_reason(string_or(result, "reason", "error")).value_or(Reason::error);
  auto outcome = failed(reason == Reason::out_of_memory ? reason : Reason::error, string_or(result, "exception"));
  outcome.traceback = string_or(result, "traceback");
  outcome.facts = object_or_empty(result, "facts");
  return outcome;
}

// `publish` makes the drafted manifest a stored one.
template <class Publish>
engine::Outcome outcome_of_result(const json::object& result, Publish publish) {
  if (string_or(result, "status") != "finished") return failed_outcome(result);
  auto draft = store::manifest_from_json(object_or_empty(result, "manifest"));
  if (!draft) return unreadable(draft.error().message);
  auto manifest = publish(*std::move(draft));
  if (!manifest) return unreadable(manifest.error().message);
  engine::Outcome outcome;
  outcome.state = State::finished;
  outcome.manifest = store::to_json(*manifest);
  outcome.facts = object_or_empty(result, "facts");
  outcome.facts[engine::kResultDigest] = manifest->digest();
  return outcome;
}

// RFC 3339, as people write UTC.
std::string format_clock(WallTime time) { return format_time(time).substr(0, 19) + "+00:00"; }

}  // namespace

json::object step_json(const engine::JobRequest& job, const std::vector<fs::path>& stagings, json::object inputs,
                       const std::optional<SparkTarget>& spark) {
  json::array members;
  for (std::size_t i = 0; i < job.members.size(); ++i) {
    const auto& member = job.members[i];
    members.push_back({{"name", member.name},
                       {"operation", member.operation},
                       {"request", member.request},
                       {"staging", stagings[i].string()}});
  }
  json::value memory = job.limits.memory_bytes ? json::value(*job.limits.memory_bytes) : json::value(nullptr);
  return {{"v", 1},
          {"token", job.token},
          {"members", std::move(members)},
          {"inputs", std::move(inputs)},
          {"clock", format_clock(job.clock)},
          {"limits", {{"memory", std::move(memory)}, {"cpu", job.limits.cpu}}},
          {"checkpoint", nullptr},
          {"spark", spark_json(spark)}};
}

Result<json::object> input_json(const engine::Input& input, store::Store& store) {
  LO_ASSIGN(auto manifest, store::manifest_from_json(input.manifest));
  json::object parts, contents;
  for (const auto& part : manifest.parts) {
    if (goes_along(manifest, part)) {
      LO_TRY(store.verify(part));
      contents[part.name] = store::part_content(part);
      continue;
    }
    LO_ASSIGN(auto path, store.path_of(part));
    parts[part.name] = path.string();
  }
  json::array fields;
  for (const auto& field : manifest.fields) fields.push_back({{"name", field.name}, {"type", field.type}});
  json::object result{{"kind", store::to_string(manifest.kind)},
                      {"typeName", manifest.type_name},
                      {"fields", std::move(fields)},
                      {"parts", std::move(parts)}};
  if (!contents.empty()) result["inline"] = std::move(contents);
  if (manifest.rows) result["rows"] = *manifest.rows;
  return result;
}

json::object limits_json(std::optional<std::int64_t> memory_bytes, int processes) {
  return {{"memory", memory_bytes ? json::value(*memory_bytes) : json::value(nullptr)}, {"processes", processes}};
}

Result<JobFiles> prepare_job(const engine::JobRequest& job, const RunContext& context, const std::optional<SparkTarget>& spark) {
  auto folder = context.run_folder() / job.token;
  JobFiles files{.folder = folder, .work = {}, .stagings = {}};
  if (auto status = fill(files, job, context, spark); !status) {
    remove_job_folder(files.folder);
    return fail(std::move(status).error());
  }
  return files;
}

std::optional<Result<JobFiles>> prepare_without_disk(const engine::JobRequest& job, const RunContext& context) {
  if (needs_disk(job)) return std::nullopt;
  std::size_t bytes = 0;  // at least
  for (const auto& member : job.members) bytes += json::serialize(member.request).size();
  if (!fits_message(2 * bytes + job.inputs.size() * 2 * kMostInline)) return std::nullopt;
  return prepare_job(job, context, std::nullopt);
}

std::optional<engine::Outcome> collect_result(store::Staging staging, store::Store& store) {
  auto path = staging.path() / "result.json";
  std::error_code error;
  auto status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::not_found) return std::nullopt;
  if (status.type() != fs::file_type::regular) return unreadable("result.json is no file");
  if (fs::file_size(path, error) > kMaxResult || error) return unreadable("result.json has over 16 MB");
  std::ifstream in(path, std::ios::binary);
  auto result = parse_json_object(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!result) return unreadable("result.json: " + result.error().message);
  in.close();
  fs::remove(path, error);
  return outcome_of_result(*result, [&](store::Manifest draft) { return store.publish(std::move(staging), std::move(draft)); });
}

engine::Outcome inline_result(const json::object& result) { return outcome_of_result(result, store::publish_inline); }

void remove_job_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) log::warn("run: cannot remove {}: {}", folder.string(), error.message());
}

}  // namespace lo::run
