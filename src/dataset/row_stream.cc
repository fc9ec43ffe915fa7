#include "dataset/row_stream.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <utility>

#include "dataset/arrow_error.h"
#include "dataset/matching_rows.h"
#include "dataset/pulled_pieces.h"
#include "dataset/row_encoder.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kRowsAtOnce = 8 * 1024;
constexpr int kAhead = 4;  // groups: more would cost memory, and no client takes as much
constexpr std::array<std::pair<RowFormat, std::string_view>, 3> kMediaTypes{{{RowFormat::ndjson, "application/x-ndjson"},
                                                                             {RowFormat::csv, "text/csv"},
                                                                             {RowFormat::arrow, "application/vnd.apache.arrow.stream"}}};

// Rows of one group that match, in parts: as text already, where texts can be made in any order.
struct Part {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<std::int64_t> ids;
  std::string text;
};
using Parts = std::vector<Part>;

std::size_t bytes_of(const Parts& parts) {
  std::size_t bytes = 0;
  for (const auto& part : parts)
    bytes += part.text.size() + (part.rows ? static_cast<std::size_t>(arrow::util::ReferencedBufferSize(*part.rows).ValueOr(0)) : 0);
  return bytes;
}

Result<std::shared_ptr<arrow::RecordBatch>> chosen(std::shared_ptr<arrow::RecordBatch> batch, const std::vector<std::int64_t>& ids, std::int64_t first_id) {
  if (std::ssize(ids) == batch->num_rows()) return batch;
  arrow::Int64Builder rows;
  for (auto id : ids) LO_ARROW_TRY(rows.Append(id - first_id), "choose the rows");
  LO_ARROW_ASSIGN(auto indexes, rows.Finish(), "choose the rows");
  LO_ARROW_ASSIGN(auto taken, arrow::compute::Take(batch, indexes), "choose the rows");
  return taken.record_batch();
}

// Reads groups, several at once by readers of their own.
class Rows {
 public:
  Rows(Query query, std::vector<int> shown, RowFormat format) : query_(std::move(query)), shown_(std::move(shown)), format_(format) {}

  // All files are open when this returns.
  Status open(TableReader table) {
    groups_ = table.groups();
    schema_ = schema_of(*table.schema());
    LO_ASSIGN(encoder_, make_encoder(format_, schema_));
    for (int i = 1; i < std::min(kAhead, groups_); ++i) {
      LO_ASSIGN(auto another, table.again());
      lanes_.push_back(std::make_unique<Lane>(std::move(another), query_));
    }
    lanes_.push_back(std::make_unique<Lane>(std::move(table), query_));
    return {};
  }

  int groups() const { return groups_; }
  int at_once() const { return static_cast<int>(lanes_.size()); }
  RowEncoder& encoder() const { return *encoder_; }

  // `group` and `group + at_once()` not at the same time.
  Result<Parts> read(int group, const std::stop_token& stop) const {
    auto& [table, scan] = *lanes_[static_cast<std::size_t>(group) % lanes_.size()];
    LO_ASSIGN(auto ids, matching_ids(table, scan, query_, group));
    if (ids.empty()) return Parts();
    LO_ASSIGN(auto batch, table.read(group, shown_));
    LO_ASSIGN(batch, chosen(std::move(batch), ids, table.first_row(group) + 1));
    return parts_of(*arrow::RecordBatch::Make(schema_, batch->num_rows(), batch->columns()), ids, stop);
  }

 private:
  struct Lane {
    Lane(TableReader reader, const Query& query) : table(std::move(reader)), scan(table, query) {}
    TableReader table;  // stays where it is: the scan refers to it
    QueryScan scan;
  };

  std::shared_ptr<arrow::Schema> schema_of(const arrow::Schema& all) const {
    arrow::FieldVector fields;
    for (int index : shown_) fields.push_back(all.field(index)->RemoveMetadata());
    return arrow::schema(std::move(fields));
  }

  Result<Parts> parts_of(const arrow::RecordBatch& batch, std::span<const std::int64_t> ids, const std::stop_token& stop) const {
    Parts parts;
    for (std::int64_t from = 0; from < batch.num_rows(); from += kRowsAtOnce) {
      if (stop.stop_requested()) return fail(Code::cancelled, "nobody takes the rows");
      auto rows = batch.Slice(from, kRowsAtOnce);
      auto its_ids = ids.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(rows->num_rows()));
      if (!encoder_->side_by_side()) {
        parts.push_back({.rows = std::move(rows), .ids = {its_ids.begin(), its_ids.end()}, .text = {}});
        continue;
      }
      LO_ASSIGN(auto text, encoder_->encode(*rows, its_ids));
      parts.push_back({.rows = nullptr, .ids = {}, .text = std::move(text)});
    }
    return parts;
  }

  const Query query_;
  const std::vector<int> shown_;
  const RowFormat format_;
  int groups_ = 0;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<RowEncoder> encoder_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

class EncodedRows final : public RowStream {
 public:
  explicit EncodedRows(std::shared_ptr<const Rows> rows)
      : rows_(std::move(rows)), pieces_(rows_->groups(), rows_->at_once(), reading(rows_), bytes_of) {}

  Result<std::optional<std::string>> next() override {
    return guarded("read the table", [&]() -> Result<std::optional<std::string>> {
      if (!std::exchange(began_, true)) return rows_->encoder().begin();
      if (part_ == parts_.size()) LO_TRY(advance());
      if (part_ < parts_.size()) return text_of(std::move(parts_[part_++]));
      if (!ended_) return std::string();
      if (std::exchange(finished_, true)) return std::nullopt;
      return rows_->encoder().finish();
    });
  }

 private:
  static PulledPieces<Parts>::Make reading(std::shared_ptr<const Rows> rows) {
    return [rows = std::move(rows)](int group, const std::stop_token& stop) { return guarded("read the table", [&] { return rows->read(group, stop); }); };
  }

  Status advance() {
    auto parts = pieces_.next();
    ended_ = !parts.has_value();
    part_ = 0;
    parts_.clear();
    if (ended_) return {};
    if (!*parts) return fail(std::move(*parts).error());
    parts_ = std::move(**parts);
    return {};
  }

  Result<std::string> text_of(Part part) const {
    if (part.rows) return rows_->encoder().encode(*part.rows, part.ids);
    return std::move(part.text);
  }

  const std::shared_ptr<const Rows> rows_;
  PulledPieces<Parts> pieces_;
  Parts parts_;
  std::size_t part_ = 0;
  bool began_ = false;
  bool ended_ = false;
  bool finished_ = false;
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
    auto rows = std::make_shared<Rows>(std::move(query), std::move(indexes).value_or(std::move(shown)), format);
    LO_TRY(rows->open(std::move(reader)));
    return std::make_unique<EncodedRows>(std::move(rows));
  });
}

}  // namespace lo::dataset
