#include "dataset/csv_parse.h"

#include <arrow/array.h>
#include <arrow/csv/converter.h>
#include <arrow/csv/parser.h>
#include <arrow/record_batch.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>
#include <limits>

#include "dataset/arrow_error.h"
#include "dataset/convert.h"
#include "dataset/shown.h"

namespace lo::dataset {
namespace {

using arrow::csv::BlockParser;
using arrow::csv::InvalidRow;

constexpr std::int32_t kAllRows = std::numeric_limits<std::int32_t>::max();

std::string_view cell_text(const std::uint8_t* data, std::uint32_t size) { return {reinterpret_cast<const char*>(data), size}; }

RowFault fault_of(const CsvBlock& block, const CsvPlan& plan) {
  if (block.fault == CsvBlock::Fault::too_long)
    return {0,
            fmt::format("the row has at least {} bytes (is a quote never closed?): {}", plan.max_row_bytes, shown(block.text))};
  return {0, fmt::format("a quote is opened and never closed: {}", shown(block.text))};
}

RowFault fault_of(const InvalidRow& row) {
  return {row.number,
          fmt::format("{} columns where {} are expected: {}", row.actual_columns, row.expected_columns, shown(row.text))};
}

// Arrow says that a column has a cell that is not UTF-8, not which.
RowFault find_bad_text(const BlockParser& parser, int column, const std::string& name) {
  arrow::util::InitializeUTF8();
  RowFault fault;
  std::int64_t row = 0;
  auto visit = [&](const std::uint8_t* data, std::uint32_t size, bool, bool) {
    if (arrow::util::ValidateUTF8(data, size)) {
      ++row;
      return arrow::Status::OK();
    }
    fault = {row,
             fmt::format("field {}: {} is not UTF-8: give the file's `encoding`", shown(name), shown(cell_text(data, size)))};
    return arrow::Status::Cancelled("found");
  };
  static_cast<void>(parser.VisitColumn(column, visit));  // fails when it has found the cell
  return fault;
}

class BlockColumns {
 public:
  BlockColumns(const BlockParser& parser, const CsvPlan& plan) : parser_(parser), plan_(plan) {}

  // Fills `out`, or its fault.
  arrow::Status convert_all(ParsedBlock& out) {
    ARROW_ASSIGN_OR_RAISE(converter_, arrow::csv::Converter::Make(arrow::utf8(), options_));
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (std::size_t i = 0; i < plan_.names.size() && !out.fault; ++i) columns.push_back(convert_one(i, out));
    if (!out.fault) out.batch = arrow::RecordBatch::Make(plan_.schema, parser_.num_rows(), std::move(columns));
    return arrow::Status::OK();
  }

 private:
  std::shared_ptr<arrow::Array> convert_one(std::size_t i, ParsedBlock& out) {
    auto texts = converter_->Convert(parser_, static_cast<int>(i));
    if (!texts.ok()) {
      out.fault = find_bad_text(parser_, static_cast<int>(i), plan_.names[i]);
      return nullptr;
    }
    if (plan_.infer) out.guesses.push_back(possible_types(static_cast<const arrow::StringArray&>(**texts)));
    if (plan_.types[i] == Type::string) return *texts;
    auto converted = convert(*texts, plan_.types[i]);
    if (converted) return *std::move(converted);
    out.fault = RowFault{converted.error().row, describe_value(converted.error(), plan_.names[i], plan_.types[i])};
    return nullptr;
  }

  const BlockParser& parser_;
  const CsvPlan& plan_;
  arrow::csv::ConvertOptions options_;  // no spelling is null; the converter keeps a reference
  std::shared_ptr<arrow::csv::Converter> converter_;
};

Status parse_into(const CsvBlock& block, const CsvPlan& plan, ParsedBlock& out) {
  auto options = plan.parse;
  options.invalid_row_handler = [&out](const InvalidRow& row) {
    out.fault = fault_of(row);
    return arrow::csv::InvalidRowResult::Error;
  };
  BlockParser parser(options, static_cast<std::int32_t>(plan.names.size()), 0, kAllRows);
  std::uint32_t used = 0;
  auto status = parser.Parse(block.text, &used);
  if (out.fault) return {};
  LO_ARROW_TRY(status, "read the CSV");
  if (used != block.text.size()) return fail(Code::internal, "the CSV parser left rows of a block unread");
  LO_ARROW_TRY(BlockColumns(parser, plan).convert_all(out), "read the CSV");
  return {};
}

}  // namespace

arrow::csv::ParseOptions parse_options(char delimiter) {
  auto options = arrow::csv::ParseOptions::Defaults();
  options.delimiter = delimiter;
  options.newlines_in_values = true;
  return options;
}

Result<std::optional<FirstRow>> first_row(const CsvBlock& block, const arrow::csv::ParseOptions& options) {
  if (block.text.find_first_not_of("\r\n") == std::string::npos) return std::nullopt;
  BlockParser parser(options, -1, 0, 1);
  std::uint32_t used = 0;
  LO_ARROW_TRY(parser.Parse(block.text, &used), "read the CSV's header");
  FirstRow row{.cells = {}, .bytes = used};
  auto visit = [&](const std::uint8_t* data, std::uint32_t size, bool, bool) {
    row.cells.emplace_back(cell_text(data, size));
    return arrow::Status::OK();
  };
  LO_ARROW_TRY(parser.VisitLastRow(visit), "read the CSV's header");
  return row;
}

ParsedBlock parse_block(const CsvBlock& block, const CsvPlan& plan) {
  ParsedBlock out;
  if (block.fault != CsvBlock::Fault::none) {
    out.fault = fault_of(block, plan);
    return out;
  }
  auto status = guarded("read the CSV", [&] { return parse_into(block, plan, out); });
  if (!status) out.error = status.error();
  return out;
}

}  // namespace lo::dataset
