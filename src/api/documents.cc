#include "api/documents.h"

#include <fmt/format.h>

#include "dataset/query.h"

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

Result<json::array> rows_of(const Context& context, const StepRecord& record, const dataset::Query& filter,
                            const DocumentQuery& query) {
  LO_ASSIGN(const auto* revision, wanted_revision(record, query.revision));
  auto metadata = metadata_of(record);
  if (revision == nullptr) return select(json::array{std::move(metadata)}, filter, query.page);
  LO_ASSIGN(auto manifest, store::manifest_from_json(revision->result));
  const auto* part = manifest.part("rows.parquet");
  if (part == nullptr) return fail(Code::not_found, fmt::format("the result of \"{}\" is not a table", record.step.name));
  LO_ASSIGN(auto path, context.store->path_of(*part));
  return dataset::find(path, filter, metadata, query.page.skip, query.page.limit);
}

}  // namespace

Result<json::array> documents_of(const Context& context, const StepRecord& record, const DocumentQuery& query) {
  LO_ASSIGN(auto filter, dataset::parse_query(query.query));
  if (query.rows) return rows_of(context, record, filter, query);
  json::array documents{metadata_of(record)};
  for (auto& execution : executions_of(record)) documents.push_back(std::move(execution));
  return select(std::move(documents), filter, query.page);
}

}  // namespace lo::api
