// What GET <service>/<name> answers with: the rows of a table or the attempts at a step, filtered and paged.
#pragma once

#include "api/handlers.h"
#include "api/service.h"
#include "dataset/page.h"

namespace lo::api {

struct DocumentQuery {
  std::string query;  // MongoDB filter; "" is {}
  Page page;
  dataset::ShownFields fields = {};  // of rows; none: all
  std::string sort = {};             // of rows: the field they are ordered by, "-" before it for the greatest first; "" is _id
  bool count = false;                // of rows: how many match
  std::optional<int> revision;  // an old one; its rows instead of the newest good ones
  Shown shown = Shown::attempts;
};

struct Documents {
  json::array shown;
  std::optional<std::int64_t> count = {};  // rows that match, where that was asked
};

// The documents in the order of _id, or of rows by `sort`; the metadata first. Before the first result there is the metadata alone. Code::not_found for a revision
// that does not exist or gave no table, and dataset/query.h's and dataset/sorted.h's errors; Code::unacceptable for sort and count where there are no rows. Blocks.
Result<Documents> documents_of(const Context& context, const StepRecord& record, const DocumentQuery& query);

// The file of the rows that the step gave, by its newest good revision or the one that is wanted. Code::not_found for a revision that does not exist or
// gave no table, and before the first result. Blocks.
Result<std::filesystem::path> table_of(const Context& context, const StepRecord& record, std::optional<int> revision);

}  // namespace lo::api
