#include "run/job_files.h"

#include <sys/stat.h>

#include <fcntl.h>
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

Result<std::vector<store::Staging>> make_stagings(const engine::JobRequest& job, store::Store& store) {
  std::vector<store::Staging> stagings;
  for (std::size_t i = 0; i < job.members.size(); ++i) {
    LO_ASSIGN(auto staging, store.stage(fmt::format("{}-{}", job.token, i)));
    stagings.push_back(std::move(staging));
  }
  return stagings;
}

Status fill(JobFiles& files, const engine::JobRequest& job, const RunContext& context, const CgroupLimits& limits,
            const std::optional<SparkTarget>& spark) {
  auto& store = *context.options.store;
  LO_ASSIGN(auto checkpoint, make_checkpoint(context.options.data, job));
  json::object inputs;
  for (const auto& input : job.inputs) {
    LO_ASSIGN(inputs[input.name], input_json(input, store));
  }
  LO_ASSIGN(files.stagings, make_stagings(job, store));
  LO_TRY(make_folder(files.folder));
  LO_ASSIGN(files.cgroup, context.cgroups.make(job.token, limits));
  auto step = step_json(job, paths_of(files.stagings), std::move(inputs), files.cgroup, spark);
  LO_TRY(add_uploads(job, store, step));
  if (checkpoint) step["checkpoint"] = checkpoint->string();
  if (context.options.gpus > 0) step["gpus"] = json::value_from(job.gpus);
  step["environments"] = context.environments_folder().string();
  step["modules"] = json::value_from(context.options.python.tool_modules);
  return write_private(files.step_file, json::serialize(step));
}

json::object object_or_empty(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : json::object{};
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

engine::Outcome publish_result(const json::object& result, store::Staging staging, store::Store& store) {
  auto draft = store::manifest_from_json(object_or_empty(result, "manifest"));
  if (!draft) return unreadable(draft.error().message);
  auto manifest = store.publish(std::move(staging), *std::move(draft));
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
                       const JobCgroup& cgroup, const std::optional<SparkTarget>& spark) {
  json::array members;
  for (std::size_t i = 0; i < job.members.size(); ++i) {
    const auto& member = job.members[i];
    members.push_back({{"name", member.name},
                       {"operation", member.operation},
                       {"request", member.request},
                       {"staging", stagings[i].string()}});
  }
  json::array groups;
  for (const auto& folder : cgroup.folders()) groups.emplace_back(folder.string());
  json::value memory = job.limits.memory_bytes ? json::value(*job.limits.memory_bytes) : json::value(nullptr);
  return {{"v", 1},
          {"token", job.token},
          {"members", std::move(members)},
          {"inputs", std::move(inputs)},
          {"clock", format_clock(job.clock)},
          {"limits", {{"memory", std::move(memory)}, {"cpu", job.limits.cpu}}},
          {"cgroup", std::move(groups)},
          {"checkpoint", nullptr},
          {"spark", spark_json(spark)}};
}

Result<json::object> input_json(const engine::Input& input, store::Store& store) {
  LO_ASSIGN(auto manifest, store::manifest_from_json(input.manifest));
  json::object parts;
  for (const auto& part : manifest.parts) {
    LO_ASSIGN(auto path, store.path_of(part));
    parts[part.name] = path.string();
  }
  json::array fields;
  for (const auto& field : manifest.fields) fields.push_back({{"name", field.name}, {"type", field.type}});
  json::object result{{"kind", store::to_string(manifest.kind)},
                      {"typeName", manifest.type_name},
                      {"fields", std::move(fields)},
                      {"parts", std::move(parts)}};
  if (manifest.rows) result["rows"] = *manifest.rows;
  return result;
}

Result<JobFiles> prepare_job(const engine::JobRequest& job, const RunContext& context, const CgroupLimits& limits,
                             const std::optional<SparkTarget>& spark) {
  auto folder = context.run_folder() / job.token;
  JobFiles files{.folder = folder, .step_file = folder / "step.json", .stagings = {}, .cgroup = {}};
  if (auto status = fill(files, job, context, limits, spark); !status) {
    files.cgroup.remove();
    remove_job_folder(files.folder);
    return fail(std::move(status).error());
  }
  return files;
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
  if (string_or(*result, "status") == "finished") return publish_result(*result, std::move(staging), store);
  return failed_outcome(*result);
}

void remove_job_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) log::warn("run: cannot remove {}: {}", folder.string(), error.message());
}

}  // namespace lo::run
