#include "dataset/csv_convert.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <cstring>
#include <span>

#include "dataset/arrow_error.h"
#include "dataset/convert.h"
#include "dataset/shown.h"
#include "dataset/text_values.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kStride = 16;  // bytes that are copied at once; what is written too many is overwritten by the next cell

// The cells of one field.
class Column {
 public:
  Column(const CsvBlock& block, std::size_t index, std::size_t columns) : block_(block), index_(index), columns_(columns) {}

  std::int64_t size() const { return block_.rows; }
  const CsvCell& cell(std::int64_t row) const { return block_.cells[static_cast<std::size_t>(row) * columns_ + index_]; }
  const char* begin_of(const CsvCell& cell) const { return block_.text.data() + cell.begin; }
  const char* end_of_text() const { return block_.text.data() + block_.text.size(); }

  // Valid until the next call.
  std::string_view operator()(std::int64_t row) const {
    const auto& cell = this->cell(row);
    std::string_view written(begin_of(cell), cell.size);
    if (!cell.coded) return written;
    decoded_.clear();
    decode_cell(written, decoded_);
    return decoded_;
  }

 private:
  const CsvBlock& block_;
  const std::size_t index_;
  const std::size_t columns_;
  mutable std::string decoded_;
};

std::shared_ptr<arrow::Buffer> allocated(std::int64_t bytes) {
  auto buffer = arrow::AllocateResizableBuffer(bytes);
  require(buffer.status());
  return std::shared_ptr<arrow::Buffer>(*std::move(buffer));
}

// No text has more bytes than it is written with.
std::int64_t bytes_written(const Column& column) {
  std::int64_t bytes = 0;
  for (std::int64_t row = 0; row < column.size(); ++row) bytes += column.cell(row).size;
  return bytes;
}

char* copy(std::string_view text, char* to) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

std::shared_ptr<arrow::Array> texts_of(const Column& column) {
  auto data = allocated(bytes_written(column) + static_cast<std::int64_t>(kStride));
  auto offsets = allocated((column.size() + 1) * static_cast<std::int64_t>(sizeof(std::int32_t)));
  std::span ends(reinterpret_cast<std::int32_t*>(offsets->mutable_data()), static_cast<std::size_t>(column.size()) + 1);
  auto* const begin = reinterpret_cast<char*>(data->mutable_data());
  auto* to = begin;
  ends[0] = 0;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const auto& cell = column.cell(row);
    const auto* from = column.begin_of(cell);
    if (!cell.coded && cell.size <= kStride && from + kStride <= column.end_of_text()) {
      std::memcpy(to, from, kStride);
      to += cell.size;
    } else {
      to = copy(column(row), to);
    }
    ends[static_cast<std::size_t>(row) + 1] = static_cast<std::int32_t>(to - begin);
  }
  return std::make_shared<arrow::StringArray>(column.size(), std::move(offsets), std::move(data));
}

// Separators are ASCII: of a text that is not UTF-8 some cell is not.
RowFault find_bad_text(const CsvBlock& block, const CsvPlan& plan) {
  for (std::int64_t row = 0; row < block.rows; ++row)
    for (std::size_t i = 0; i < plan.names.size(); ++i) {
      Column column(block, i, plan.names.size());
      if (auto text = column(row); !arrow::util::ValidateUTF8(text))
        return {row, fmt::format("field {}: {} is not UTF-8: give the file's `encoding`", shown(plan.names[i]), shown(text))};
    }
  std::unreachable();
}

class Converter {
 public:
  Converter(const CsvBlock& block, const CsvPlan& plan, ConvertedBlock& out) : block_(block), plan_(plan), out_(out) {}

  void run() {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (std::size_t i = 0; i < plan_.names.size() && !out_.misfit; ++i) columns.push_back(convert_one(i));
    if (!out_.fault && !out_.misfit) out_.batch = arrow::RecordBatch::Make(plan_.schema, block_.rows, std::move(columns));
  }

 private:
  std::shared_ptr<arrow::Array> convert_one(std::size_t i) {
    Column column(block_, i, plan_.names.size());
    auto type = plan_.types[i];
    if (type == Type::string) {
      out_.misfit = plan_.guessed[i] && bytes_written(column) > 0;  // a field without values so far
      return texts_of(column);
    }
    auto converted = parse_texts(column.size(), column, type, plan_.guessed[i]);
    if (converted) return *std::move(converted);
    out_.misfit = plan_.guessed[i];
    if (const auto& bad = converted.error(); !out_.misfit && (!out_.fault || bad.row < out_.fault->row))
      out_.fault = RowFault{bad.row, describe_value(bad, plan_.names[i], type)};
    return nullptr;
  }

  const CsvBlock& block_;
  const CsvPlan& plan_;
  ConvertedBlock& out_;
};

}  // namespace

ConvertedBlock convert_block(const CsvBlock& block, const CsvPlan& plan) {
  ConvertedBlock out;
  auto status = guarded("read the CSV", [&]() -> Status {
    arrow::util::InitializeUTF8();
    if (!arrow::util::ValidateUTF8(block.text))
      out.fault = find_bad_text(block, plan);
    else
      Converter(block, plan, out).run();
    return {};
  });
  if (!status) out.error = status.error();
  if (!out.fault && !out.misfit && !out.error && block.fault) {
    out.batch.reset();
    out.fault = block.fault;
  }
  return out;
}

std::vector<TypeGuess> guess_types(const CsvBlock& block, const CsvPlan& plan) {
  std::vector<TypeGuess> guesses(plan.names.size());
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    Column column(block, i, plan.names.size());
    if (plan.guessed[i])
      for (std::int64_t row = 0; row < block.rows && !guesses[i].is_settled(); ++row) guesses[i].add(column(row));
  }
  return guesses;
}

}  // namespace lo::dataset
