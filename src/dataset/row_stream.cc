#include "dataset/row_stream.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "dataset/arrow_error.h"
#include "dataset/matching_rows.h"
#include "dataset/row_encoder.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kRowsAtOnce = 8 * 1024;
constexpr std::array<std::pair<RowFormat, std::string_view>, 3> kMediaTypes{{{RowFormat::ndjson, "application/x-ndjson"},
                                                                             {RowFormat::csv, "text/csv"},
                                                                             {RowFormat::arrow, "application/vnd.apache.arrow.stream"}}};

// Rows of one group that match.
struct Matches {
  std::shared_ptr<arrow::RecordBatch> batch;
  std::vector<std::int64_t> ids;
};

class Rows {
 public:
  Rows(TableReader table, Query query, std::vector<int> shown)
      : table_(std::make_unique<TableReader>(std::move(table))), query_(std::make_unique<Query>(std::move(query))), shown_(std::move(shown)), scan_(*table_, *query_) {}

  std::shared_ptr<arrow::Schema> schema() const {
    arrow::FieldVector fields;
    for (int index : shown_) fields.push_back(table_->schema()->field(index)->RemoveMetadata());
    return arrow::schema(std::move(fields));
  }

  // Of the next group that has some; nothing after the last.
  Result<std::optional<Matches>> next() {
    while (group_ < table_->groups()) {
      auto group = group_++;
      LO_ASSIGN(auto ids, matching_ids(*table_, scan_, *query_, group));
      if (ids.empty()) continue;
      LO_ASSIGN(auto batch, table_->read(group, shown_));
      LO_ASSIGN(batch, chosen(std::move(batch), ids, table_->first_row(group) + 1));
      return Matches{.batch = arrow::RecordBatch::Make(schema(), batch->num_rows(), batch->columns()), .ids = std::move(ids)};
    }
    return std::nullopt;
  }

 private:
  static Result<std::shared_ptr<arrow::RecordBatch>> chosen(std::shared_ptr<arrow::RecordBatch> batch, const std::vector<std::int64_t>& ids,
                                                            std::int64_t first_id) {
    if (std::ssize(ids) == batch->num_rows()) return batch;
    arrow::Int64Builder rows;
    for (auto id : ids) LO_ARROW_TRY(rows.Append(id - first_id), "choose the rows");
    LO_ARROW_ASSIGN(auto indexes, rows.Finish(), "choose the rows");
    LO_ARROW_ASSIGN(auto taken, arrow::compute::Take(batch, indexes), "choose the rows");
    return taken.record_batch();
  }

  std::unique_ptr<TableReader> table_;  // these two stay where they are: the scan refers to them
  std::unique_ptr<Query> query_;
  std::vector<int> shown_;
  QueryScan scan_;
  int group_ = 0;
};

class EncodedRows final : public RowStream {
 public:
  EncodedRows(Rows rows, std::unique_ptr<RowEncoder> encoder) : rows_(std::move(rows)), encoder_(std::move(encoder)) {}

  Result<std::string> next() override {
    return guarded("read the table", [&]() -> Result<std::string> {
      if (ended_) return std::string();
      if (!matches_ || from_ == matches_->batch->num_rows()) LO_TRY(advance());
      if (!matches_) return end();
      auto count = std::min(kRowsAtOnce, matches_->batch->num_rows() - from_);
      auto from = std::exchange(from_, from_ + count);
      began_ = true;
      return encoder_->encode(matches_->batch->Slice(from, count), std::span(matches_->ids).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(count)));
    });
  }

 private:
  Status advance() {
    LO_ASSIGN(matches_, rows_.next());
    from_ = 0;
    return {};
  }

  // A text without rows still says what fields there are.
  Result<std::string> end() {
    ended_ = true;
    std::string out;
    if (!began_) {
      LO_ARROW_ASSIGN(auto none, arrow::RecordBatch::MakeEmpty(rows_.schema()), "write the rows");
      LO_ASSIGN(out, encoder_->encode(none, {}));
    }
    LO_ASSIGN(auto rest, encoder_->finish());
    return out + rest;
  }

  Rows rows_;
  std::unique_ptr<RowEncoder> encoder_;
  std::optional<Matches> matches_;
  std::int64_t from_ = 0;
  bool began_ = false;
  bool ended_ = false;
};

}  // namespace

std::string_view media_type(RowFormat format) { return std::ranges::find(kMediaTypes, format, &std::pair<RowFormat, std::string_view>::first)->second; }

std::optional<RowFormat> row_format(std::string_view media_type) {
  const auto* found = std::ranges::find(kMediaTypes, media_type, &std::pair<RowFormat, std::string_view>::second);
  return found == kMediaTypes.end() ? std::nullopt : std::optional(found->first);
}

Result<std::unique_ptr<RowStream>> stream_rows(const std::filesystem::path& table, Query query, const ShownFields& fields, RowFormat format) {
  return guarded("read the table", [&]() -> Result<std::unique_ptr<RowStream>> {
    LO_ASSIGN(auto reader, TableReader::open(table));
    LO_ASSIGN(auto indexes, reader.indexes_of(fields, "fields"));
    std::vector<int> shown(static_cast<std::size_t>(reader.schema()->num_fields()));
    std::iota(shown.begin(), shown.end(), 0);
    Rows rows(std::move(reader), std::move(query), std::move(indexes).value_or(std::move(shown)));
    LO_ASSIGN(auto encoder, make_encoder(format, rows.schema()));
    return std::make_unique<EncodedRows>(std::move(rows), std::move(encoder));
  });
}

}  // namespace lo::dataset
