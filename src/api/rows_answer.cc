#include "api/rows_answer.h"

#include <fmt/format.h>

#include <ranges>
#include <stdexcept>

namespace lo::api {
namespace {

std::string_view trimmed(std::string_view text) {
  auto begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// RFC 9110: "q=0", "q=0.0" and so on.
bool is_refused(std::string_view parameters) {
  for (auto each : std::views::split(parameters, ';')) {
    auto parameter = trimmed({each.begin(), each.end()});
    if (parameter.starts_with("q=") && parameter.find_first_not_of("0.", 2) == std::string_view::npos) return true;
  }
  return false;
}

http::StreamBody body_of(const Context& context, std::shared_ptr<dataset::RowStream> rows) {
  return [&context, rows = std::move(rows)](http::BodyWriter& writer) -> Awaitable<void> {
    for (;;) {
      auto piece = co_await context.pool->run([&] { return rows->next(); });
      if (!piece) throw std::runtime_error(piece.error().message);  // cuts the connection
      if (!*piece || !co_await writer.write(**piece)) co_return;  // an empty one still asks whether the client is there
    }
  };
}

}  // namespace

std::optional<dataset::RowFormat> accepted_rows(const http::Request& request) {
  auto accept = request.header("accept").value_or("");
  for (auto each : std::views::split(std::string_view(accept), ',')) {
    std::string_view range(each.begin(), each.end());
    auto type = trimmed(range.substr(0, range.find(';')));
    if (is_refused(range.substr(std::min(range.size(), range.find(';'))))) continue;
    if (type == "application/json" || type.ends_with("/*")) return std::nullopt;
    if (auto format = dataset::row_format(type)) return format;
  }
  return std::nullopt;
}

Awaitable<Result<http::Response>> answer_with_rows(const Context& context, const StepRecord& record, const DocumentQuery& query,
                                                   dataset::RowFormat format) {
  auto rows = co_await context.pool->run([&]() -> Result<std::unique_ptr<dataset::RowStream>> {
    LO_ASSIGN(auto filter, dataset::parse_query(query.query));
    LO_ASSIGN(auto table, table_of(context, record, query.revision));
    return dataset::stream_rows(table, std::move(filter), query.fields, format);
  });
  if (!rows) co_return std::unexpected(rows.error());
  http::Response response;
  response.headers.emplace_back("Content-Type", dataset::media_type(format));
  response.headers.emplace_back("Vary", "Accept");
  response.body = body_of(context, *std::move(rows));
  co_return response;
}

}  // namespace lo::api
