#include "dataset/json_ingest.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "dataset/arrow_error.h"
#include "dataset/cast.h"
#include "dataset/json_columns.h"
#include "dataset/json_lines.h"
#include "dataset/pipeline.h"
#include "dataset/sample.h"
#include "dataset/table_file.h"
#include "dataset/table_writer.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kBlockCells = std::size_t{2} << 20;  // fields that rows do not have take memory, too

std::unexpected<Error> refuse(std::string why) { return fail(Code::unacceptable, std::move(why)); }

// Rows are counted without blank lines: where a line is meant that is no JSON, its number is said, too.
std::unexpected<Error> fail_row(std::int64_t rows_before, std::int64_t lines_before, const JsonFault& fault) {
  auto row = rows_before + fault.row + 1;
  auto line = fault.line ? lines_before + *fault.line + 1 : row;
  return refuse(fmt::format("row {}{}, {}", row, line == row ? "" : fmt::format(" (line {})", line), fault.detail));
}

Pieces<JsonBlock> blocks_of(JsonLines& lines, std::int64_t most_lines) {
  return {.what = "the ingest",
          .next = [&lines, most_lines] { return lines.next(most_lines); },
          .bytes = [](const JsonBlock& block) { return block.text.size(); }};
}

bool knows_all(const std::vector<JsonField>& fields, const Types& types) {
  return std::ranges::all_of(types, [&](const auto& type) { return std::ranges::find(fields, type.first, &JsonField::name) != fields.end(); });
}

// The fields by the lines that the file begins with.
Result<std::vector<JsonField>> guess(JsonLines& lines, const Types& types) {
  LO_ASSIGN(auto beginning, lines.beginning());
  if (looks_like_html(beginning)) return refuse("the file is a web page (HTML), not JSON");
  auto examined = examine_lines(beginning, types);
  if (examined.error) return fail(*std::move(examined.error));
  if (examined.fault) return fail_row(0, 0, *examined.fault);
  return examined.shape.fields(types);
}

using Written = std::optional<store::Manifest>;  // nothing when the fields did not hold

Result<Written> write(JsonLines& lines, const JsonPlan& plan, const std::filesystem::path& to, const Progress& progress, std::stop_token stop) {
  LO_ASSIGN(auto writer, TableWriter::open(to, plan.schema));
  bool misfit = false;
  auto take = [&](const JsonBlock& block, const JsonConverted& converted) -> Status {
    if (converted.error) return fail(*converted.error);
    if (converted.fault) return fail_row(writer.rows(), block.lines_before, *converted.fault);
    misfit = converted.misfit;
    if (misfit) return fail(Code::conflict, "a guessed type does not hold");
    LO_TRY(writer.write(*converted.batch));
    if (progress) progress({block.bytes_taken, block.bytes_total, writer.rows()});
    return {};
  };
  auto work = [&plan](const JsonBlock& block) { return convert_lines(block.text, plan); };
  auto most_lines = std::max<std::size_t>(1, kBlockCells / leaves(plan.fields));
  auto status = Pipeline(blocks_of(lines, static_cast<std::int64_t>(most_lines)), std::move(stop), work, take).run();
  if (misfit) return std::nullopt;
  if (!status) return fail(status.error());
  return writer.finish();
}

// The fields by all values.
Result<std::vector<JsonField>> examine(JsonLines& lines, const Types& types, std::stop_token stop) {
  JsonShape shape;
  std::int64_t rows = 0;
  auto take = [&](const JsonBlock& block, const JsonExamined& examined) -> Status {
    if (examined.error) return fail(*examined.error);
    if (examined.fault) return fail_row(rows, block.lines_before, *examined.fault);
    LO_TRY(shape.merge(examined.shape, rows));
    rows += examined.rows;
    return {};
  };
  auto work = [&types](const JsonBlock& block) { return examine_lines(block.text, types); };
  LO_TRY(Pipeline(blocks_of(lines, std::numeric_limits<std::int64_t>::max()), std::move(stop), work, take).run());
  LO_ASSIGN(auto fields, shape.fields(types));
  if (rows == 0) return refuse("the file is empty");
  if (fields.empty()) return refuse(fmt::format("none of the {} rows has a field", rows));
  return fields;
}

// Most often the fields of the first MB hold to the end; where they do not, all values are looked at before anything is written.
Result<store::Manifest> ingest(JsonLinesText text, const OpenAgain& again, const std::filesystem::path& to, const Progress& progress,
                               std::stop_token stop) {
  const auto options = text.options;
  auto lines_of = [&](Source source) { return JsonLines(std::move(source), kBlockBytes, options.max_row_bytes); };
  auto open_again = [&]() -> Result<JsonLines> {
    LO_ASSIGN(auto source, again());
    LO_ASSIGN(auto opened, open_json(std::move(source), options));
    return lines_of(std::move(opened.text));
  };
  Written written;
  auto first = lines_of(std::move(text.text));
  LO_ASSIGN(auto fields, guess(first, options.types));
  if (!fields.empty() && knows_all(fields, options.types)) {
    JsonPlan plan{.fields = fields, .schema = schema_of(fields)};
    LO_ASSIGN(written, write(first, plan, to, progress, stop));
  }
  if (!written) {
    LO_ASSIGN(auto lines, open_again());
    LO_ASSIGN(fields, examine(lines, options.types, stop));
    JsonPlan plan{.fields = fields, .schema = schema_of(fields)};
    LO_TRY(check_types(options.types, fields_of(*plan.schema)));
    LO_ASSIGN(auto whole, open_again());
    LO_ASSIGN(written, write(whole, plan, to, progress, stop));
  }
  if (!written) return fail(Code::internal, "a type that was found by all values does not hold");
  return *std::move(written);
}

}  // namespace

Result<store::Manifest> ingest_json(JsonLinesText text, const std::filesystem::path& parquet_out, const Progress& progress, std::stop_token stop,
                                    const OpenAgain& again) {
  return guarded("read the JSON", [&] { return ingest(std::move(text), again, parquet_out, progress, std::move(stop)); });
}

}  // namespace lo::dataset
