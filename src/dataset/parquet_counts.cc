#include "dataset/parquet_counts.h"

#include <arrow/builder.h>
#include <arrow/type.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>

#include <array>
#include <span>

#include "dataset/arrow_error.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kAtOnce = 4096;  // values

std::unexpected<Error> damaged() { return fail(Code::corrupt, "the table is damaged: it names values that it does not have"); }

arrow::Status append(arrow::StringBuilder& builder, const parquet::ByteArray& text) {
  return builder.Append(text.ptr, static_cast<std::int32_t>(text.len));
}
arrow::Status append(auto& builder, auto value) { return builder.Append(value); }

template <class Physical, class Builder>
Result<std::shared_ptr<arrow::Array>> values_of(std::span<const typename Physical::c_type> dictionary, Builder builder) {
  for (const auto& value : dictionary) LO_ARROW_TRY(append(builder, value), "read the table");
  LO_ARROW_ASSIGN(auto array, builder.Finish(), "read the table");
  return array;
}

template <class Physical>
class Counter {
 public:
  using Value = typename Physical::c_type;

  explicit Counter(parquet::ColumnReader& reader) : reader_(static_cast<parquet::TypedColumnReader<Physical>&>(reader)) {}

  Status run() {
    while (reader_.HasNext()) {
      std::int64_t present = 0;
      const Value* dictionary = nullptr;
      std::int32_t size = 0;
      auto rows = reader_.ReadBatchWithDictionary(kAtOnce, levels_.data(), nullptr, numbers_.data(), &present, &dictionary, &size);
      if (rows <= 0) return damaged();
      if (dictionary != nullptr) learn({dictionary, static_cast<std::size_t>(size)});
      nulls_ += rows - present;
      LO_TRY(count({numbers_.data(), static_cast<std::size_t>(present)}));
    }
    return {};
  }

  template <class Builder>
  Result<std::optional<GroupCounts>> give(Builder builder) && {
    LO_ASSIGN(auto values, (values_of<Physical, Builder>(dictionary_, std::move(builder))));
    return GroupCounts{.values = std::move(values), .counts = std::move(counts_), .nulls = nulls_};
  }

 private:
  void learn(std::span<const Value> dictionary) {
    dictionary_ = dictionary;
    counts_.resize(dictionary.size());
  }

  Status count(std::span<const std::int32_t> numbers) {
    auto size = static_cast<std::uint32_t>(counts_.size());
    for (auto number : numbers) {
      if (static_cast<std::uint32_t>(number) >= size) return damaged();
      ++counts_[static_cast<std::size_t>(number)];
    }
    return {};
  }

  parquet::TypedColumnReader<Physical>& reader_;
  std::span<const Value> dictionary_;  // the reader's own
  std::vector<std::int64_t> counts_;
  std::int64_t nulls_ = 0;
  std::array<std::int16_t, kAtOnce> levels_{};
  std::array<std::int32_t, kAtOnce> numbers_{};
};

template <class Physical, class Builder>
Result<std::optional<GroupCounts>> count_as(parquet::ColumnReader& reader, Builder builder) {
  Counter<Physical> counter(reader);
  LO_TRY(counter.run());
  return std::move(counter).give(std::move(builder));
}

}  // namespace

Result<std::optional<GroupCounts>> count_by_dictionary(parquet::RowGroupReader& group, int column, const std::shared_ptr<arrow::DataType>& type) {
  auto reader = group.ColumnWithExposeEncoding(column, parquet::ExposedEncoding::DICTIONARY);
  if (reader->GetExposedEncoding() != parquet::ExposedEncoding::DICTIONARY) return std::nullopt;
  switch (type->id()) {
    case arrow::Type::STRING: return count_as<parquet::ByteArrayType>(*reader, arrow::StringBuilder());
    case arrow::Type::DOUBLE: return count_as<parquet::DoubleType>(*reader, arrow::DoubleBuilder());
    case arrow::Type::INT64: return count_as<parquet::Int64Type>(*reader, arrow::Int64Builder());
    case arrow::Type::TIMESTAMP: return count_as<parquet::Int64Type>(*reader, arrow::TimestampBuilder(type, arrow::default_memory_pool()));
    default: return std::nullopt;
  }
}

}  // namespace lo::dataset
