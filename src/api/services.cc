#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "api/service.h"
#include "engine/policy.h"
#include "engine/registry.h"

namespace lo::api {
namespace {

// One of a file, which may also be on S3 or HDFS.
std::string read_location(Fields& fields, std::string_view key, const Context& context) {
  auto url = fields.text(key);
  if (url.empty()) return url;
  if (auto safe = dataset::check_location(url, fmt::format("/{}", key), context.urls, context.remote); !safe) fields.refuse(safe.error());
  return url;
}

}  // namespace

const std::vector<Service>& services() {
  static const std::vector<Service> all = [] {
    std::vector<Service> made{dataset_csv_service(), dataset_json_service(), dataset_parquet_service(), dataset_sql_service(), dataset_generic_service(),
                              projection_service(), histogram_service(), function_python_service(), builder_sparkml_service(), environment_service()};
    std::ranges::move(tool_services(), std::back_inserter(made));
    return made;
  }();
  return all;
}

const Service* find_service(std::string_view path) {
  auto at = std::ranges::find(services(), path, &Service::path);
  return at == services().end() ? nullptr : &*at;
}

Result<std::optional<catalog::Revision>> bound_revision(const Context& context, const std::string& reference) {
  LO_ASSIGN(auto parsed, engine::parse_reference(reference, ""));
  LO_ASSIGN(auto step, context.catalog->find_step(parsed.name));
  if (!step) return std::nullopt;
  LO_ASSIGN(auto revisions, context.catalog->revisions(step->id));
  std::erase_if(revisions, [&](const catalog::Revision& revision) {
    if (parsed.revision) return revision.key.revision != *parsed.revision;
    return revision.state == State::failed || revision.state == State::cancelled;
  });
  if (revisions.empty()) return std::nullopt;
  return std::move(revisions.back());
}

Result<std::optional<store::Manifest>> finished_result(const Context& context, const std::string& reference) {
  LO_ASSIGN(auto revision, bound_revision(context, reference));
  if (!revision || revision->state != State::finished) return std::nullopt;
  LO_ASSIGN(auto manifest, store::manifest_from_json(revision->result));
  return manifest;
}

Result<std::optional<store::Manifest>> finished_table(const Context& context, const engine::Mention& mention) {
  LO_ASSIGN(auto input, finished_result(context, mention.text));
  if (input && !input->is_table())
    return fail_field(Code::unacceptable, mention.pointer, fmt::format("the result of \"{}\" is not a table", mention.text));
  return input;
}

std::string read_url(Fields& fields, std::string_view key, const Context& context) {
  auto url = fields.text(key);
  if (url.empty()) return url;
  if (auto safe = dataset::check_url(url, fmt::format("/{}", key), context.urls); !safe) fields.refuse(safe.error());
  return url;
}

void read_file_source(Fields& fields, json::object& request, const Context& context) {
  for (auto key : {"upload", "datasetURI", "url"}) fields.accept(key);  // null where PATCH puts another in its place
  if (fields.has("upload"))
    request["upload"] = fields.object("upload");
  else
    request["datasetURI"] = read_location(fields, fields.has("url") && !fields.has("datasetURI") ? "url" : "datasetURI", context);
}

std::string read_code(Fields& fields, std::string_view key, const Context& context) {
  auto code = fields.text(key);
  auto is_url = code.starts_with("http://") || code.starts_with("https://");
  if (is_url)
    if (auto safe = dataset::check_url(code, fmt::format("/{}", key), context.urls); !safe) fields.refuse(safe.error());
  return code;
}

json::object nullable_schema() {
  return {{"type", "boolean"},
          {"description", "integers and booleans of datasets come to Python as pandas' Int64 and boolean, in which nulls are pandas.NA"}};
}

void copy_policy(const json::object& body, json::object& request) {
  for (const auto& member : body)
    if (engine::is_policy_key(member.key()) && !member.value().is_null()) request[member.key()] = member.value();
}

}  // namespace lo::api
