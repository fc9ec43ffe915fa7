#include "dataset/parquet_rows.h"

#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/column_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/schema.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>

#include "dataset/arrow_error.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kAtOnce = 1024;  // values

// Not Arrow's own: it takes memory from the system in huge pages, and what is read here is little and soon given back.
arrow::MemoryPool* pool() { return arrow::system_memory_pool(); }

std::unexpected<Error> damaged(std::string_view how) { return fail(Code::corrupt, fmt::format("the table is damaged: {}", how)); }

// The pages of a column chunk that hold some rows.
struct Pages {
  std::int64_t first_row = 0;  // of the first one, in the group
  std::int64_t rows = 0;       // of all of them
  std::int64_t offset = 0;     // in the file
  std::int64_t bytes = 0;
};

Result<Pages> pages_with(const parquet::OffsetIndex& index, std::int64_t group_rows, std::int64_t from, std::int64_t count) {
  const auto& pages = index.page_locations();
  auto starts_after = [](std::int64_t row, const parquet::PageLocation& page) { return row < page.first_row_index; };
  auto first = std::ranges::upper_bound(pages, from, {}, &parquet::PageLocation::first_row_index);
  auto end = std::upper_bound(first, pages.end(), from + count - 1, starts_after);
  if (first == pages.begin()) return damaged("it has no page with a row that it has");
  --first;
  auto end_row = end == pages.end() ? group_rows : end->first_row_index;
  const auto& last = *std::prev(end);
  Pages found{.first_row = first->first_row_index, .rows = end_row - first->first_row_index, .offset = first->offset,
              .bytes = last.offset + last.compressed_page_size - first->offset};
  if (found.first_row < 0 || found.rows < 0 || found.offset < 0) return damaged("it has impossible pages");
  return found;
}

struct Range {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

// The page of the values that others name by their numbers, where there is one.
Result<Range> dictionary_of(const parquet::ColumnChunkMetaData& chunk, const parquet::OffsetIndex& index) {
  if (!chunk.has_dictionary_page() || index.page_locations().empty()) return Range{};
  auto offset = chunk.dictionary_page_offset();
  return Range{.offset = offset, .bytes = index.page_locations().front().offset - offset};
}

// One after the other, as if they stood so in the file.
Result<std::shared_ptr<arrow::Buffer>> read_ranges(arrow::io::RandomAccessFile& file, std::initializer_list<Range> ranges, std::int64_t most) {
  std::int64_t bytes = 0;
  for (const auto& range : ranges) {
    if (range.offset < 0 || range.bytes < 0 || range.bytes > most) return damaged("it has impossible pages");
    bytes += range.bytes;
  }
  LO_ARROW_ASSIGN(auto buffer, arrow::AllocateBuffer(bytes, pool()), "read the table");
  auto* to = buffer->mutable_data();
  for (const auto& range : ranges) {
    LO_ARROW_ASSIGN(auto got, file.ReadAt(range.offset, range.bytes, to), "read the table");
    if (got != range.bytes) return damaged("it ends within a page");
    to += got;
  }
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

std::unexpected<Error> too_few() { return damaged("it has not as many rows as it says"); }

template <class Physical, class Builder>
class Rows {
 public:
  Rows(parquet::TypedColumnReader<Physical>& reader, Builder& builder) : reader_(reader), builder_(builder) {}

  Status pass(std::int64_t count) {
    for (std::int64_t passed = 0; count > 0; count -= passed)
      if (passed = reader_.Skip(count); passed <= 0) return too_few();
    return {};
  }

  Status read(std::int64_t count) {
    for (std::int64_t got = 0; count > 0; count -= got) {
      std::int64_t present = 0;
      got = reader_.HasNext() ? reader_.ReadBatch(std::min(count, kAtOnce), levels_.data(), nullptr, values_.data(), &present) : 0;
      if (got <= 0) return too_few();
      LO_ARROW_TRY(append(got, present), "read the table");
    }
    return {};
  }

 private:
  arrow::Status append(std::int64_t rows, std::int64_t present) {
    bool nullable = reader_.descr()->max_definition_level() > 0;
    std::size_t next = 0;
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row)
      if (nullable && levels_[row] == 0)
        ARROW_RETURN_NOT_OK(builder_.AppendNull());
      else if (next < static_cast<std::size_t>(present))
        ARROW_RETURN_NOT_OK(append(values_[next++]));
      else
        return arrow::Status::Invalid("it has not as many values as it says");
    return arrow::Status::OK();
  }

  arrow::Status append(const parquet::ByteArray& text) { return builder_.Append(text.ptr, static_cast<std::int32_t>(text.len)); }
  arrow::Status append(auto value) { return builder_.Append(value); }

  parquet::TypedColumnReader<Physical>& reader_;
  Builder& builder_;
  std::array<std::int16_t, kAtOnce> levels_{};
  std::array<typename Physical::c_type, kAtOnce> values_{};
};

template <class Physical, class Builder>
Result<std::shared_ptr<arrow::Array>> read_as(parquet::ColumnReader& reader, std::int64_t pass, std::int64_t count, Builder builder) {
  Rows<Physical, Builder> rows(static_cast<parquet::TypedColumnReader<Physical>&>(reader), builder);
  LO_TRY(rows.pass(pass));
  LO_TRY(rows.read(count));
  LO_ARROW_ASSIGN(auto array, builder.Finish(), "read the table");
  return array;
}

bool fits(parquet::Type::type physical, arrow::Type::type type) {
  switch (type) {
    case arrow::Type::STRING: return physical == parquet::Type::BYTE_ARRAY;
    case arrow::Type::DOUBLE: return physical == parquet::Type::DOUBLE;
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP: return physical == parquet::Type::INT64;
    case arrow::Type::BOOL: return physical == parquet::Type::BOOLEAN;
    default: return false;
  }
}

// Whether the file counts time in the unit that the type does.
bool same_unit(const parquet::ColumnDescriptor& column, const arrow::DataType& type) {
  if (type.id() != arrow::Type::TIMESTAMP) return true;
  const auto& logical = column.logical_type();
  if (!logical || !logical->is_timestamp()) return false;
  auto unit = static_cast<const parquet::TimestampLogicalType&>(*logical).time_unit();
  return unit == parquet::LogicalType::TimeUnit::MICROS && static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO;
}

}  // namespace

bool reads_rows(const parquet::ColumnDescriptor& column, const arrow::DataType& type) {
  bool is_flat = column.max_repetition_level() == 0 && column.max_definition_level() <= 1 && column.path()->ToDotVector().size() == 1;
  return is_flat && fits(column.physical_type(), type.id()) && same_unit(column, type);
}

Result<std::shared_ptr<arrow::Array>> read_rows(const ColumnChunk& chunk, const std::shared_ptr<arrow::DataType>& type, std::int64_t from,
                                                std::int64_t count) {
  const auto& metadata = *chunk.metadata;
  LO_ASSIGN(auto pages, pages_with(*chunk.pages, metadata.num_values(), from, count));
  LO_ASSIGN(auto dictionary, dictionary_of(metadata, *chunk.pages));
  LO_ASSIGN(auto bytes, read_ranges(*chunk.file, {dictionary, {pages.offset, pages.bytes}}, metadata.total_compressed_size()));
  parquet::ReaderProperties properties(pool());
  auto reader = parquet::ColumnReader::Make(
      chunk.column, parquet::PageReader::Open(std::make_shared<arrow::io::BufferReader>(bytes), pages.rows, metadata.compression(), properties, *chunk.column), pool());
  auto pass = from - pages.first_row;
  switch (type->id()) {
    case arrow::Type::STRING: return read_as<parquet::ByteArrayType>(*reader, pass, count, arrow::StringBuilder(pool()));
    case arrow::Type::DOUBLE: return read_as<parquet::DoubleType>(*reader, pass, count, arrow::DoubleBuilder(pool()));
    case arrow::Type::INT64: return read_as<parquet::Int64Type>(*reader, pass, count, arrow::Int64Builder(pool()));
    case arrow::Type::TIMESTAMP: return read_as<parquet::Int64Type>(*reader, pass, count, arrow::TimestampBuilder(type, pool()));
    case arrow::Type::BOOL: return read_as<parquet::BooleanType>(*reader, pass, count, arrow::BooleanBuilder(pool()));
    default: return fail(Code::internal, "a column of this type is not read by rows");
  }
}

}  // namespace lo::dataset
