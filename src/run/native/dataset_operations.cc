#include "run/native/dataset_operations.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <vector>

#include "base/clock.h"
#include "base/data_folder.h"
#include "dataset/cast.h"
#include "dataset/histogram.h"
#include "dataset/ingest.h"
#include "dataset/json_ingest.h"
#include "dataset/location.h"
#include "dataset/parquet_ingest.h"
#include "dataset/project.h"

namespace lo::run {
namespace {

constexpr std::string_view kRows = "rows.parquet";
constexpr std::string_view kFetched = "fetched";  // a file from elsewhere, while it is needed
constexpr std::size_t kCopyBuffer = 1u << 20;
constexpr auto kProgressInterval = std::chrono::milliseconds{250};

// What goes with the staging folder at the latest.
void remove_early(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

double rounded(double number) { return std::round(number * 10) / 10; }

engine::Outcome table_outcome(const store::Manifest& draft) {
  engine::Outcome outcome;
  json::array fields;
  for (const auto& field : draft.fields) fields.emplace_back(field.name);
  outcome.facts["fields"] = std::move(fields);
  if (draft.rows) outcome.facts["rows"] = *draft.rows;
  outcome.manifest = store::to_json(draft);
  return outcome;
}

// --- dataset/csv ---

std::string url_of(const json::object& request) { return string_or(request, "datasetURI", string_or(request, "url")); }

// {"digest": …, "bytes": …}
Result<dataset::Source> open_upload(const json::object& upload, store::Store& store) {
  LO_ASSIGN(auto path, store.path_of(store::uploaded_part(upload)));
  return dataset::open_file(path);
}

Result<dataset::Source> open_source(const json::object& request, const DatasetOptions& options, const NativeContext& native) {
  if (const auto* upload = request.if_contains("upload"); upload != nullptr && upload->is_object())
    return open_upload(upload->get_object(), *options.store);
  auto url = url_of(request);
  if (dataset::is_remote(url)) return native.open_remote(url);
  return dataset::open_url(url, options.download, native.stop);
}

// One that comes from elsewhere is kept in `copy` where it may have to be read twice: until its types are found.
Result<dataset::Repeatable> open_repeatable(const DatasetOptions& options, const json::object& request, bool twice, const std::filesystem::path& copy,
                                            const NativeContext& native) {
  LO_ASSIGN(auto source, open_source(request, options, native));
  if (!twice) return dataset::Repeatable{.source = std::move(source), .again = {}};
  if (!request.contains("upload")) return dataset::keep_copy(std::move(source), copy);
  return dataset::Repeatable{.source = std::move(source), .again = [store = options.store, upload = request.at("upload").as_object()] { return open_upload(upload, *store); }};
}

// Passes on a few figures a second, however often they come.
dataset::Progress slowed_down(const NativeContext& native) {
  auto begun = SystemClock{}.steady();
  return [begun, last = begun - kProgressInterval, tell = native.progress](const dataset::IngestProgress& progress) mutable {
    auto now = SystemClock{}.steady();
    if (now - last < kProgressInterval) return;
    last = now;
    tell(progress_json(progress, now - begun));
  };
}

// What was not given and is not what most files have.
json::object guesses_in(const dataset::CsvOptions& given, const dataset::CsvOptions& found) {
  json::object facts;
  if (given.encoding.empty() && found.encoding != "utf-8") facts["encoding"] = found.encoding;
  if (given.delimiter == '\0' && found.delimiter != ',') facts["delimiter"] = std::string(1, found.delimiter);
  return facts;
}

Result<engine::Outcome> ingest(const DatasetOptions& options, const json::object& request, const store::Staging& staging,
                               NativeContext& native) {
  LO_ASSIGN(auto given, dataset::parse_csv_options(request));
  auto copy = staging.path() / kFetched;
  LO_ASSIGN(auto source, open_repeatable(options, request, given.infer, copy, native));
  LO_ASSIGN(auto csv, dataset::open_csv(std::move(source.source), given));
  auto guesses = guesses_in(given, csv.options);
  LO_ASSIGN(auto draft, dataset::ingest_csv(std::move(csv), staging.path() / kRows, slowed_down(native), native.stop, source.again));
  remove_early(copy);
  auto outcome = table_outcome(draft);
  for (const auto& guess : guesses) outcome.facts.insert(guess);
  if (auto url = url_of(request); !url.empty()) outcome.facts["url"] = url;
  return outcome;
}

// --- dataset/json ---

Result<engine::Outcome> ingest_json(const DatasetOptions& options, const json::object& request, const store::Staging& staging,
                                    NativeContext& native) {
  LO_ASSIGN(auto given, dataset::parse_json_options(request));
  auto copy = staging.path() / kFetched;
  LO_ASSIGN(auto source, open_repeatable(options, request, true, copy, native));
  LO_ASSIGN(auto text, dataset::open_json(std::move(source.source), given));
  auto encoding = text.options.encoding;
  LO_ASSIGN(auto draft, dataset::ingest_json(std::move(text), staging.path() / kRows, slowed_down(native), native.stop, source.again));
  remove_early(copy);
  auto outcome = table_outcome(draft);
  if (given.encoding.empty() && encoding != "utf-8") outcome.facts["encoding"] = encoding;
  if (auto url = url_of(request); !url.empty()) outcome.facts["url"] = url;
  return outcome;
}

// --- dataset/parquet ---

Status copy_to_file(dataset::ByteSource& source, const std::filesystem::path& path, NativeContext& native) {
  std::ofstream file(path, std::ios::binary);
  std::vector<char> buffer(kCopyBuffer);
  auto tell = slowed_down(native);
  for (;;) {
    LO_ASSIGN(auto got, source.read(buffer));
    if (native.stop.stop_requested()) return fail(Code::cancelled, "the copy was cancelled");
    if (got == 0) break;
    if (!file.write(buffer.data(), static_cast<std::streamsize>(got))) return fail_errno("the file cannot be stored", errno);
    tell({.bytes = source.bytes_taken(), .total = source.bytes_total(), .rows = 0});
  }
  if (!file.flush()) return fail_errno("the file cannot be stored", errno);
  return {};
}

// A Parquet file is read from its end, so that one from elsewhere is fetched first.
Result<std::filesystem::path> fetch(const DatasetOptions& options, const json::object& request, const std::filesystem::path& to, NativeContext& native) {
  if (const auto* upload = request.if_contains("upload"); upload != nullptr && upload->is_object())
    return options.store->path_of(store::uploaded_part(upload->get_object()));
  LO_ASSIGN(auto source, open_source(request, options, native));
  LO_TRY(copy_to_file(*source, to, native));
  return to;
}

Result<engine::Outcome> ingest_parquet(const DatasetOptions& options, const json::object& request, const store::Staging& staging,
                                       NativeContext& native) {
  auto fetched = staging.path() / kFetched;
  LO_ASSIGN(auto file, fetch(options, request, fetched, native));
  LO_ASSIGN(auto draft, dataset::ingest_parquet(file, staging.path() / kRows, slowed_down(native), native.stop));
  remove_early(fetched);
  auto outcome = table_outcome(draft);
  if (auto url = url_of(request); !url.empty()) outcome.facts["url"] = url;
  return outcome;
}

// --- Transformations of one table ---

struct Table {
  std::filesystem::path path;
  std::vector<store::Field> fields;
};

Result<Table> input_table(const engine::JobRequest& job, store::Store& store) {
  auto name = string_or(job.members.front().request, "inputDatasetName");
  auto input = std::ranges::find(job.inputs, name, &engine::Input::name);
  if (input == job.inputs.end() && job.inputs.size() == 1) input = job.inputs.begin();
  if (input == job.inputs.end()) return fail(Code::internal, fmt::format("the job was not given its input '{}'", name));
  LO_ASSIGN(auto manifest, store::manifest_from_json(input->manifest));
  const auto* rows = manifest.rows_part();
  if (rows == nullptr)
    return fail_field(Code::unacceptable, "/inputDatasetName",
                      fmt::format("the result of \"{}\" is not a table", name));
  LO_ASSIGN(auto path, store.path_of(*rows));
  return Table{.path = std::move(path), .fields = std::move(manifest.fields)};
}

Result<std::vector<std::string>> names_in(const json::object& request) {
  const auto* value = request.if_contains("names");
  if (value == nullptr || !value->is_array()) return fail_field(Code::unacceptable, "/names", "must be a list of fields");
  std::vector<std::string> names;
  for (const auto& name : value->get_array()) {
    if (!name.is_string()) return fail_field(Code::unacceptable, "/names", "must be a list of fields");
    names.emplace_back(name.get_string());
  }
  return names;
}

// --- dataset/generic ---

Result<engine::Outcome> keep_file(const DatasetOptions& options, const json::object& request, const store::Staging& staging,
                                  NativeContext& native) {
  auto any = options;
  any.download.accept_html = true;
  LO_ASSIGN(auto source, open_source(request, any, native));
  LO_TRY(copy_to_file(*source, staging.path() / "content", native));
  engine::Outcome outcome;
  if (auto url = url_of(request); !url.empty()) outcome.facts["url"] = url;
  outcome.manifest = store::to_json({.kind = store::Kind::blob, .parts = {{.name = "content"}}});
  return outcome;
}

// --- explore/histogram ---

Result<engine::Outcome> count(const DatasetOptions& options, const engine::JobRequest& job, const store::Staging& staging,
                              NativeContext& native) {
  LO_ASSIGN(auto table, input_table(job, *options.store));
  const auto& request = job.members.front().request;
  LO_ASSIGN(auto names, names_in(request));
  std::optional<int> bins;
  if (const auto* given = request.if_contains("bins"); given != nullptr && given->is_int64()) bins = static_cast<int>(given->get_int64());
  LO_ASSIGN(auto documents, dataset::histogram(table.path, names, bins, native.stop));
  LO_TRY(write_whole_file(staging.path() / "documents.json", write_json(documents)));
  engine::Outcome outcome;
  outcome.facts["fields"] = json::value_from(names);
  outcome.manifest = store::to_json({.kind = store::Kind::documents, .parts = {{.name = "documents.json"}}});
  return outcome;
}

Result<engine::Outcome> project(const DatasetOptions& options, const engine::JobRequest& job, const store::Staging& staging,
                                NativeContext& native) {
  LO_ASSIGN(auto table, input_table(job, *options.store));
  LO_ASSIGN(auto names, names_in(job.members.front().request));
  LO_TRY(dataset::check_projection(names, table.fields));
  LO_ASSIGN(auto draft, dataset::project(table.path, names, staging.path() / kRows, native.stop));
  return table_outcome(draft);
}

Result<engine::Outcome> cast(const DatasetOptions& options, const engine::JobRequest& job, const store::Staging& staging,
                             NativeContext& native) {
  LO_ASSIGN(auto table, input_table(job, *options.store));
  const auto* wanted = job.members.front().request.if_contains("types");
  if (wanted == nullptr || !wanted->is_object())
    return fail_field(Code::unacceptable, "/types", "must be an object of fields and their types");
  LO_ASSIGN(auto types, dataset::parse_types(wanted->get_object()));
  LO_TRY(dataset::check_types(types, table.fields));
  LO_ASSIGN(auto draft, dataset::cast(table.path, types, staging.path() / kRows, native.stop));
  return table_outcome(draft);
}

}  // namespace

json::object progress_json(const dataset::IngestProgress& progress, Duration since_begin) {
  json::object data{{"bytes", progress.bytes}, {"rows", progress.rows}};
  if (progress.total) data["total"] = *progress.total;
  auto seconds = std::chrono::duration<double>(since_begin).count();
  if (seconds <= 0 || progress.bytes <= 0) return data;
  auto rate = static_cast<double>(progress.bytes) / seconds;
  data["rate"] = std::round(rate);
  if (progress.total) data["remaining"] = rounded(static_cast<double>(std::max<std::int64_t>(0, *progress.total - progress.bytes)) / rate);
  return data;
}

std::map<std::string, NativeOperation, std::less<>> dataset_operations(const DatasetOptions& options) {
  using Request = engine::JobRequest;
  using store::Staging;
  return {
      {"dataset/csv", [options](const Request& job, const Staging& staging,
                                NativeContext& native) { return ingest(options, job.members.front().request, staging, native); }},
      {"dataset/json", [options](const Request& job, const Staging& staging,
                                 NativeContext& native) { return ingest_json(options, job.members.front().request, staging, native); }},
      {"dataset/parquet", [options](const Request& job, const Staging& staging,
                                    NativeContext& native) { return ingest_parquet(options, job.members.front().request, staging, native); }},
      {"dataset/generic", [options](const Request& job, const Staging& staging,
                                    NativeContext& native) { return keep_file(options, job.members.front().request, staging, native); }},
      {"explore/histogram", [options](const Request& job, const Staging& staging,
                                      NativeContext& native) { return count(options, job, staging, native); }},
      {"transform/projection", [options](const Request& job, const Staging& staging,
                                         NativeContext& native) { return project(options, job, staging, native); }},
      {"transform/dataType", [options](const Request& job, const Staging& staging,
                                       NativeContext& native) { return cast(options, job, staging, native); }},
  };
}

}  // namespace lo::run
