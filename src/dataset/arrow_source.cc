#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <algorithm>
#include <fstream>

#include "dataset/arrow_error.h"
#include "dataset/table_source.h"

namespace lo::dataset {
namespace {

constexpr std::string_view kMagic = "ARROW1";
constexpr std::int64_t kGroupRows = 64 * 1024;

bool is_plain(const arrow::RecordBatch& batch) {
  return std::ranges::all_of(batch.columns(), [](const auto& column) {
    auto id = column->type_id();
    return (id == arrow::Type::FLOAT || id == arrow::Type::DOUBLE) && column->null_count() == 0 && column->offset() == 0;
  });
}

// Rows are read from the file, not from a mapping: one that is cut short behind our back would be the end of the process.
class ArrowSource final : public TableSource {
 public:
  Status open(const std::filesystem::path& path) {
    LO_ARROW_ASSIGN(file_, arrow::io::ReadableFile::Open(path.string()), "open the table");
    LO_ARROW_ASSIGN(auto mapped, arrow::io::MemoryMappedFile::Open(path.string(), arrow::io::FileMode::READ), "open the table");
    LO_ARROW_ASSIGN(auto begin, mapped->ReadAt(0, 1), "read the table");
    LO_ARROW_ASSIGN(auto reader, arrow::ipc::RecordBatchFileReader::Open(mapped), "read the table");
    if (reader->num_record_batches() != 1) return fail(Code::corrupt, "cannot read the table: it has not just one batch");
    LO_ARROW_ASSIGN(auto batch, reader->ReadRecordBatch(0), "read the table");
    LO_ARROW_TRY(batch->Validate(), "read the table");
    if (!is_plain(*batch)) return fail(Code::corrupt, "cannot read the table: it has other columns than plain numbers");
    LO_ARROW_ASSIGN(auto size, file_->GetSize(), "read the table");
    for (const auto& column : batch->columns()) {
      if (column->length() == 0) break;
      auto offset = column->data()->buffers[1]->data() - begin->data();
      auto bytes = column->length() * column->type()->byte_width();
      if (offset < 0 || offset > size - bytes) return fail(Code::corrupt, "cannot read the table: its values do not lie in the file as they are");
      offsets_.push_back(offset);
    }
    auto shape = std::make_shared<TableShape>();
    shape->schema = batch->schema();
    auto& first_rows = shape->first_rows;
    first_rows = {0};
    while (first_rows.back() < batch->num_rows()) first_rows.push_back(std::min(first_rows.back() + kGroupRows, batch->num_rows()));
    shape_ = std::move(shape);
    return {};
  }

  Result<std::shared_ptr<arrow::RecordBatch>> read(int group, const std::vector<int>& indexes) override {
    auto first = shape_->first_rows.at(static_cast<std::size_t>(group));
    return read_rows(group, 0, shape_->first_rows.at(static_cast<std::size_t>(group) + 1) - first, indexes);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> read_rows(int group, std::int64_t from, std::int64_t count, const std::vector<int>& indexes) override {
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (int index : indexes) {
      fields.push_back(shape_->schema->field(index));
      auto width = fields.back()->type()->byte_width();
      auto row = shape_->first_rows.at(static_cast<std::size_t>(group)) + from;
      LO_ARROW_ASSIGN(auto values, file_->ReadAt(offsets_.at(static_cast<std::size_t>(index)) + row * width, count * width), "read the table");
      if (values->size() != count * width) return fail(Code::corrupt, "the table is damaged: its file is shorter than it was");
      columns.push_back(arrow::MakeArray(arrow::ArrayData::Make(fields.back()->type(), count, {nullptr, std::move(values)}, 0)));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), count, std::move(columns));
  }

 private:
  std::shared_ptr<arrow::io::ReadableFile> file_;
  std::vector<std::int64_t> offsets_;  // of each column's values in the file, where it has some
};

}  // namespace

Result<std::unique_ptr<TableSource>> open_arrow(const std::filesystem::path& path) {
  auto source = std::make_unique<ArrowSource>();
  LO_TRY(source->open(path));
  return source;
}

bool is_arrow_file(const std::filesystem::path& path) {
  std::string magic(kMagic.size(), '\0');
  std::ifstream(path, std::ios::binary).read(magic.data(), std::ssize(magic));
  return magic == kMagic;
}

}  // namespace lo::dataset
