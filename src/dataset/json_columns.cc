#include "dataset/json_columns.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <functional>

#include "base/json.h"
#include "dataset/arrow_error.h"
#include "dataset/json_rows.h"
#include "dataset/shown.h"

namespace lo::dataset {
namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == line.npos; }

std::string why_no_object(std::string_view line) {
  auto value = parse_json(line);
  if (value) return fmt::format("an object is expected, not {}", shown(line));
  auto why = value.error().message;
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(line)) return fmt::format("{} is not UTF-8: give the file's `encoding`", shown(line));
  constexpr std::string_view kFirstLine = "line 1, ";
  if (auto at = why.find(kFirstLine); at != why.npos) why.erase(at, kFirstLine.size());
  if (line.find_first_not_of(" \t\r[{") == line.npos) why += " (a row is one object on one line)";
  return fmt::format("{}: {}", why, shown(line));
}

// Calls take(row, object) until it gives what is wrong with it.
std::optional<JsonFault> each_object(std::string_view lines, const std::function<std::optional<std::string>(std::int64_t, JsonTokens)>& take) {
  JsonTape tape;
  std::int64_t row = 0;
  for (std::int64_t line = 0; !lines.empty(); ++line) {
    auto size = std::min(lines.find('\n'), lines.size() - 1) + 1;
    auto text = lines.substr(0, size);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    lines.remove_prefix(size);
    if (is_blank(text)) continue;
    auto tokens = tape.read(text);
    if (tokens.empty() || tokens.front().kind != JsonKind::object) return JsonFault{row, line, why_no_object(text)};
    if (auto wrong = take(row, tokens)) return JsonFault{.row = row, .detail = *std::move(wrong)};
    ++row;
  }
  return std::nullopt;
}

}  // namespace

JsonConverted convert_lines(std::string_view lines, const JsonPlan& plan) {
  JsonConverted out;
  auto status = guarded("read the JSON", [&]() -> Status {
    JsonRows rows(plan);
    out.fault = each_object(lines, [&](std::int64_t, JsonTokens object) { return rows.add(object); });
    out.misfit = rows.misfit();
    if (out.misfit) out.fault.reset();
    if (out.misfit || out.fault) return {};
    auto batch = rows.finish();
    if (batch)
      out.batch = *std::move(batch);
    else
      out.fault = std::move(batch.error());
    return {};
  });
  if (!status) out.error = status.error();
  return out;
}

JsonExamined examine_lines(std::string_view lines, const Types& asked) {
  JsonExamined out;
  auto status = guarded("read the JSON", [&]() -> Status {
    out.fault = each_object(lines, [&](std::int64_t row, JsonTokens object) {
      out.rows = row + 1;
      return out.shape.add_row(object, row, asked);
    });
    return {};
  });
  if (!status) out.error = status.error();
  return out;
}

}  // namespace lo::dataset
