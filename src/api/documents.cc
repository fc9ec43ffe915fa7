#include "api/documents.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "dataset/query.h"
#include "dataset/sorted.h"

namespace lo::api {
namespace {

// Filters and pages documents that are in memory.
json::array select(json::array documents, const dataset::Query& query, const Page& page) {
  json::array out;
  std::int64_t matched = 0;
  for (auto& document : documents) {
    if (static_cast<std::int64_t>(out.size()) >= page.limit) break;
    if (query.matches(document.as_object()) && matched++ >= page.skip) out.push_back(std::move(document));
  }
  return out;
}

Result<const catalog::Revision*> wanted_revision(const StepRecord& record, std::optional<int> number) {
  if (!number) return record.last_good();
  const auto* revision = record.find(*number);
  if (revision == nullptr || revision->state != State::finished)
    return fail(Code::not_found, fmt::format("\"{}\" has no result of revision {}", record.step.name, *number));
  return revision;
}

const store::Part* documents_part(const store::Manifest& manifest) { return manifest.part("documents.json"); }
const store::Part* rows_part(const store::Manifest& manifest) { return manifest.rows_part(); }
using FindPart = const store::Part* (*)(const store::Manifest&);

// A part of the wanted result; nothing before the first one.
Result<std::optional<std::filesystem::path>> part_of_result(const Context& context, const StepRecord& record, std::optional<int> number,
                                          FindPart find, std::string_view what) {
  LO_ASSIGN(const auto* revision, wanted_revision(record, number));
  if (revision == nullptr) return std::nullopt;
  LO_ASSIGN(auto manifest, store::manifest_from_json(revision->result));
  const auto* found = find(manifest);
  if (found == nullptr) return fail(Code::not_found, fmt::format("the result of \"{}\" is not {}", record.step.name, what));
  LO_ASSIGN(auto path, context.store->path_of(*found));
  return path;
}

Result<json::array> stored_documents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  LO_ASSIGN(auto value, parse_json(std::string(std::istreambuf_iterator<char>(file), {})));
  if (!value.is_array()) return fail(Code::corrupt, "stored documents are no list");
  return std::move(value.as_array());
}

// The documents that the result consists of, numbered from 1.
Result<json::array> result_documents(const Context& context, const StepRecord& record, std::optional<int> number) {
  json::array documents{metadata_of(record)};
  LO_ASSIGN(auto path, part_of_result(context, record, number, documents_part, "a list of documents"));
  if (!path) return documents;
  LO_ASSIGN(auto stored, stored_documents(*path));
  for (auto& document : stored) {
    document.as_object()["_id"] = documents.size();
    documents.push_back(std::move(document));
  }
  return documents;
}

Result<Documents> rows_of(const Context& context, const StepRecord& record, const dataset::Query& filter, const DocumentQuery& query) {
  auto metadata = metadata_of(record);
  LO_ASSIGN(auto table, part_of_result(context, record, query.revision, rows_part, "a table"));
  if (!table) return Documents{.shown = select(json::array{std::move(metadata)}, filter, query.page)};
  Documents found;
  const auto& [limit, skip] = query.page;
  LO_ASSIGN(found.shown, query.sort.empty() ? dataset::find(*table, filter, metadata, skip, limit, {}, query.fields, context.tables)
                                            : dataset::find_sorted(*table, filter, metadata, dataset::parse_sort(query.sort), skip, limit, {}, query.fields,
                                                                   context.tables));
  if (query.count) {
    LO_ASSIGN(found.count, dataset::count_rows(*table, filter));
  }
  return found;
}

Status check_rows_are_shown(const DocumentQuery& query) {
  if (query.shown == Shown::rows) return {};
  if (!query.sort.empty()) return fail_field(Code::unacceptable, "sort", "only rows of tables are sorted");
  if (query.count) return fail_field(Code::unacceptable, "count", "only rows of tables are counted");
  return {};
}

}  // namespace

Result<Documents> documents_of(const Context& context, const StepRecord& record, const DocumentQuery& query) {
  LO_ASSIGN(auto filter, dataset::parse_query(query.query));
  LO_TRY(check_rows_are_shown(query));
  if (query.shown == Shown::rows) return rows_of(context, record, filter, query);
  if (query.shown == Shown::documents) {
    LO_ASSIGN(auto documents, result_documents(context, record, query.revision));
    return Documents{.shown = select(std::move(documents), filter, query.page)};
  }
  json::array documents{metadata_of(record)};
  for (auto& execution : executions_of(record)) documents.push_back(std::move(execution));
  return Documents{.shown = select(std::move(documents), filter, query.page)};
}

Result<std::filesystem::path> table_of(const Context& context, const StepRecord& record, std::optional<int> revision) {
  LO_ASSIGN(auto table, part_of_result(context, record, revision, rows_part, "a table"));
  if (!table) return fail(Code::not_found, fmt::format("\"{}\" has no rows yet", record.step.name));
  return *std::move(table);
}

}  // namespace lo::api
