// A whole table as the answer, where Accept asks for one: NDJSON, CSV or an Arrow stream.
#pragma once

#include <optional>

#include "api/documents.h"
#include "dataset/row_stream.h"

namespace lo::api {

// What the client would rather have than JSON: the first of its media types that is one of these, unless JSON, or anything, comes before it. A type
// with q=0 is none.
std::optional<dataset::RowFormat> accepted_rows(const http::Request& request);

// 200 with all rows that match the query, read on the pool as the client takes them; skip and limit are not asked. An error that comes later cuts
// the connection. Code::not_found before there is a result, Code::unacceptable as pages give it. On the handler's strand.
Awaitable<Result<http::Response>> answer_with_rows(const Context& context, const StepRecord& record, const DocumentQuery& query,
                                                   dataset::RowFormat format);

}  // namespace lo::api
