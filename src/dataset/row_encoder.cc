#include "dataset/row_encoder.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "dataset/arrow_error.h"
#include "dataset/cell_texts.h"
#include "dataset/cell_texts_impl.h"

namespace lo::dataset {
namespace {

constexpr std::string_view kWhat = "write the rows";

// The next text will most often be about as long.
std::string remembered(std::string text, std::atomic<std::size_t>& usual_bytes) {
  usual_bytes = text.size() + text.size() / 16;
  return text;
}

class NdjsonEncoder final : public RowEncoder {
 public:
  explicit NdjsonEncoder(const arrow::Schema& schema) {
    for (int i = 0; i < schema.num_fields(); ++i)
      if (const auto& name = schema.field(i)->name(); name != "_id" && is_first(schema, i)) fields_.push_back({.index = i, .begin = begin_of(name)});
  }

  bool side_by_side() const override { return true; }
  Result<std::string> begin() override { return std::string(); }
  Result<std::string> finish() override { return std::string(); }

  Result<std::string> encode(const arrow::RecordBatch& batch, std::span<const std::int64_t> ids) override {
    std::vector<std::unique_ptr<CellTexts>> columns;
    for (const auto& field : fields_) columns.push_back(json_texts(batch.column(field.index)));
    TextBuffer out(usual_bytes_);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      out.append(R"({"_id":)");
      append_number(ids[static_cast<std::size_t>(row)], out);
      for (std::size_t i = 0; i < columns.size(); ++i) {
        out.append(fields_[i].begin);
        columns[i]->append(row, out);
      }
      out.append("}\n");
    }
    return remembered(out.take(), usual_bytes_);
  }

 private:
  struct Field {
    int index;
    std::string begin;  // ,"name":
  };

  // Of equal names the first is shown.
  static bool is_first(const arrow::Schema& schema, int index) {
    const auto& fields = schema.fields();
    auto same = [&](const auto& field) { return field->name() == fields[static_cast<std::size_t>(index)]->name(); };
    return std::ranges::find_if(fields, same) - fields.begin() == index;
  }

  static std::string begin_of(std::string_view name) {
    TextBuffer out;
    out.append(',');
    append_json_text(name, out);
    out.append(':');
    return out.take();
  }

  std::vector<Field> fields_;
  std::atomic<std::size_t> usual_bytes_ = 0;
};

class CsvEncoder final : public RowEncoder {
 public:
  explicit CsvEncoder(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  bool side_by_side() const override { return true; }
  Result<std::string> finish() override { return std::string(); }

  Result<std::string> begin() override {
    TextBuffer out;
    for (const auto& field : schema_->fields()) {
      if (field != schema_->fields().front()) out.append(',');
      append_csv_text(field->name(), out);
    }
    if (schema_->num_fields() > 0) out.append('\n');
    return out.take();
  }

  Result<std::string> encode(const arrow::RecordBatch& batch, std::span<const std::int64_t>) override {
    std::vector<std::unique_ptr<CellTexts>> columns;
    for (const auto& column : batch.columns()) {
      LO_ASSIGN(auto texts, csv_texts(column));
      columns.push_back(std::move(texts));
    }
    TextBuffer out(usual_bytes_);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) out.append(',');
        columns[i]->append(row, out);
      }
      if (!columns.empty()) out.append('\n');
    }
    return remembered(out.take(), usual_bytes_);
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  std::atomic<std::size_t> usual_bytes_ = 0;
};

// One batch may refer to dictionaries that were sent before.
class ArrowEncoder final : public RowEncoder {
 public:
  Status open(const std::shared_ptr<arrow::Schema>& schema) {
    LO_ARROW_ASSIGN(sink_, arrow::io::BufferOutputStream::Create(), kWhat);
    LO_ARROW_ASSIGN(writer_, arrow::ipc::MakeStreamWriter(sink_, schema), kWhat);
    return {};
  }

  bool side_by_side() const override { return false; }
  Result<std::string> begin() override { return std::string(); }

  Result<std::string> encode(const arrow::RecordBatch& batch, std::span<const std::int64_t>) override {
    LO_ARROW_TRY(writer_->WriteRecordBatch(batch), kWhat);
    return taken();
  }
  Result<std::string> finish() override {
    LO_ARROW_TRY(writer_->Close(), kWhat);
    return taken();
  }

 private:
  // What was written since the last time.
  Result<std::string> taken() {
    LO_ARROW_ASSIGN(auto bytes, sink_->Finish(), kWhat);
    LO_ARROW_TRY(sink_->Reset(), kWhat);
    return bytes->ToString();
  }

  std::shared_ptr<arrow::io::BufferOutputStream> sink_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

}  // namespace

Result<std::unique_ptr<RowEncoder>> make_encoder(RowFormat format, const std::shared_ptr<arrow::Schema>& schema) {
  switch (format) {
    case RowFormat::ndjson: return std::make_unique<NdjsonEncoder>(*schema);
    case RowFormat::csv: return std::make_unique<CsvEncoder>(schema);
    case RowFormat::arrow: {
      auto encoder = std::make_unique<ArrowEncoder>();
      LO_TRY(encoder->open(schema));
      return encoder;
    }
  }
  std::unreachable();
}

}  // namespace lo::dataset
