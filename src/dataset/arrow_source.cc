#include <arrow/array.h>
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
    return (id == arrow::Type::FLOAT || id == arrow::Type::DOUBLE) && column->null_count() == 0;
  });
}

class ArrowSource final : public TableSource {
 public:
  Status open(const std::filesystem::path& path) {
    LO_ARROW_ASSIGN(auto file, arrow::io::MemoryMappedFile::Open(path.string(), arrow::io::FileMode::READ), "open the table");
    LO_ARROW_ASSIGN(auto reader, arrow::ipc::RecordBatchFileReader::Open(file), "read the table");
    if (reader->num_record_batches() != 1) return fail(Code::corrupt, "cannot read the table: it has not just one batch");
    LO_ARROW_ASSIGN(batch_, reader->ReadRecordBatch(0), "read the table");
    LO_ARROW_TRY(batch_->Validate(), "read the table");
    if (!is_plain(*batch_)) return fail(Code::corrupt, "cannot read the table: it has other columns than plain numbers");
    schema_ = batch_->schema();
    first_rows_ = {0};
    while (first_rows_.back() < batch_->num_rows()) first_rows_.push_back(std::min(first_rows_.back() + kGroupRows, batch_->num_rows()));
    return {};
  }

  // A view: nothing is copied.
  Result<std::shared_ptr<arrow::RecordBatch>> read(int group, const std::vector<int>& indexes) override {
    auto first = first_rows_.at(static_cast<std::size_t>(group));
    auto rows = first_rows_.at(static_cast<std::size_t>(group) + 1) - first;
    LO_ARROW_ASSIGN(auto batch, batch_->SelectColumns(indexes), "read the table");
    return batch->Slice(first, rows);
  }

 private:
  std::shared_ptr<arrow::RecordBatch> batch_;
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
