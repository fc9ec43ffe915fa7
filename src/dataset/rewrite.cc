#include "dataset/rewrite.h"

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include "dataset/pipeline.h"

namespace lo::dataset {
namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

struct Group {
  std::int64_t first_row;
  Batch batch;
};

std::size_t bytes_of(const Group& group) { return static_cast<std::size_t>(arrow::util::TotalBufferSize(*group.batch)); }

}  // namespace

Result<store::Manifest> rewrite(TableReader& from, const std::optional<std::vector<int>>& indexes, const Change& change, TableWriter to,
                                const std::string& what, std::stop_token stop) {
  auto next = [&from, &indexes, group = 0]() mutable -> Result<std::optional<Group>> {
    if (group == from.groups()) return std::nullopt;
    LO_ASSIGN(auto batch, from.read(group, indexes));
    return Group{.first_row = from.first_row(group++), .batch = std::move(batch)};
  };
  auto work = [&](const Group& group) { return guarded(what, [&] { return change(group.batch, group.first_row); }); };
  auto take = [&](const Group&, const Result<Batch>& changed) -> Status {
    if (!changed) return fail(changed.error());
    return to.write(**changed);
  };
  LO_TRY(Pipeline(Pieces<Group>{.what = what, .next = next, .bytes = bytes_of}, std::move(stop), work, take).run());
  return to.finish();
}

}  // namespace lo::dataset
