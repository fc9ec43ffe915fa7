#include "dataset/row_encoder.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/csv/writer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "dataset/arrow_error.h"
#include "dataset/cell.h"

namespace lo::dataset {
namespace {

constexpr std::string_view kWhat = "write the rows";

using Batch = std::shared_ptr<arrow::RecordBatch>;

class NdjsonEncoder final : public RowEncoder {
 public:
  Result<std::string> encode(const Batch& batch, std::span<const std::int64_t> ids) override {
    std::string out;
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      out += write_json(row_json(*batch, row, ids[static_cast<std::size_t>(row)]));
      out += '\n';
    }
    return out;
  }
  Result<std::string> finish() override { return std::string(); }
};

// What has no place in a CSV cell as it is, as JSON.
Result<std::shared_ptr<arrow::Array>> json_texts(const arrow::Array& column) {
  arrow::StringBuilder builder;
  for (std::int64_t row = 0; row < column.length(); ++row)
    LO_ARROW_TRY(column.IsNull(row) ? builder.AppendNull() : builder.Append(write_json(cell_json(column, row))), kWhat);
  LO_ARROW_ASSIGN(auto texts, builder.Finish(), kWhat);
  return texts;
}

Result<Batch> flat(Batch batch) {
  for (int i = 0; i < batch->num_columns(); ++i) {
    if (!arrow::is_nested(batch->column(i)->type_id())) continue;
    LO_ASSIGN(auto texts, json_texts(*batch->column(i)));
    LO_ARROW_ASSIGN(batch, batch->SetColumn(i, arrow::field(batch->column_name(i), arrow::utf8()), std::move(texts)), kWhat);
  }
  return batch;
}

class CsvEncoder final : public RowEncoder {
 public:
  Result<std::string> encode(const Batch& batch, std::span<const std::int64_t>) override {
    LO_ASSIGN(auto flattened, flat(batch));
    LO_ARROW_ASSIGN(auto sink, arrow::io::BufferOutputStream::Create(), kWhat);
    auto options = arrow::csv::WriteOptions::Defaults();
    options.include_header = std::exchange(first_, false);
    LO_ARROW_TRY(arrow::csv::WriteCSV(*flattened, options, sink.get()), kWhat);
    LO_ARROW_ASSIGN(auto bytes, sink->Finish(), kWhat);
    return bytes->ToString();
  }
  Result<std::string> finish() override { return std::string(); }

 private:
  bool first_ = true;
};

class ArrowEncoder final : public RowEncoder {
 public:
  Status open(const std::shared_ptr<arrow::Schema>& schema) {
    LO_ARROW_ASSIGN(sink_, arrow::io::BufferOutputStream::Create(), kWhat);
    LO_ARROW_ASSIGN(writer_, arrow::ipc::MakeStreamWriter(sink_, schema), kWhat);
    return {};
  }
  Result<std::string> encode(const Batch& batch, std::span<const std::int64_t>) override {
    LO_ARROW_TRY(writer_->WriteRecordBatch(*batch), kWhat);
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
    case RowFormat::ndjson: return std::make_unique<NdjsonEncoder>();
    case RowFormat::csv: return std::make_unique<CsvEncoder>();
    case RowFormat::arrow: {
      auto encoder = std::make_unique<ArrowEncoder>();
      LO_TRY(encoder->open(schema));
      return encoder;
    }
  }
  std::unreachable();
}

}  // namespace lo::dataset
