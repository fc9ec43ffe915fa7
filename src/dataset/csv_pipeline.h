// The blocks of a CSV text, worked on side by side: read in one thread, worked on by Arrow's CPU threads, taken in order by the caller's.
#pragma once

#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>

#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/ahead.h"
#include "base/error.h"
#include "dataset/arrow_error.h"
#include "dataset/csv_blocks.h"

namespace lo::dataset {

// `work(block)` gives something for each block, beginning with `first`; `take(block, what)` is called with it, in the order of the blocks, and ends
// everything by an error. What the blocks give as an error is passed on. Code::cancelled after `stop`.
template <class Work, class Take>
class CsvPipeline {
 public:
  CsvPipeline(CsvBlocks& blocks, std::size_t columns, std::stop_token stop, Work work, Take take)
      : ahead_(
            "csv-reader", kBytesAhead,
            [&blocks, columns, ended = false]() mutable -> std::optional<Result<CsvBlock>> {
              if (ended) return std::nullopt;
              auto block = guarded("read the CSV", [&] { return blocks.next(columns); });
              ended = !block || !*block || (*block)->fault;
              if (!block) return fail(block.error());
              if (!*block) return std::nullopt;
              return **std::move(block);
            },
            [](const Result<CsvBlock>& block) { return block ? block->text.size() : 0; }),
        stop_(std::move(stop)),
        work_(std::move(work)),
        take_(std::move(take)) {}

  // What is worked on uses what others own.
  ~CsvPipeline() {
    for (const auto& each : working_) each.what.Wait();
  }
  CsvPipeline(const CsvPipeline&) = delete;
  CsvPipeline& operator=(const CsvPipeline&) = delete;

  Status run(CsvBlock first) {
    LO_TRY(submit(std::move(first)));
    while (auto block = ahead_.next()) {
      if (stop_.stop_requested()) return fail(Code::cancelled, "the ingest was cancelled");
      if (!*block) return fail(block->error());
      LO_TRY(submit(**std::move(block)));
      while (working_.size() >= kBlocksAhead || bytes_ >= kBytesAhead) LO_TRY(take_next());
    }
    while (!working_.empty()) LO_TRY(take_next());
    return {};
  }

 private:
  static constexpr std::size_t kBlocksAhead = 4;                     // worked on while the first of them is taken …
  static constexpr std::size_t kBytesAhead = std::size_t{16} << 20;  // … fewer where rows are very long

  using What = std::invoke_result_t<Work, const CsvBlock&>;
  struct Working {
    std::shared_ptr<const CsvBlock> block;
    arrow::Future<What> what;
  };

  Status submit(CsvBlock block) {
    auto shared = std::make_shared<const CsvBlock>(std::move(block));
    auto work = [shared, work = work_] { return work(*shared); };
    LO_ARROW_ASSIGN(auto what, arrow::internal::GetCpuThreadPool()->Submit(std::move(work)), "read the CSV");
    bytes_ += shared->text.size();
    working_.push_back({std::move(shared), std::move(what)});
    return {};
  }

  Status take_next() {
    if (stop_.stop_requested()) return fail(Code::cancelled, "the ingest was cancelled");
    auto next = std::move(working_.front());
    working_.pop_front();
    bytes_ -= next.block->text.size();
    LO_ARROW_ASSIGN(auto what, next.what.MoveResult(), "read the CSV");
    return take_(*next.block, std::move(what));
  }

  Ahead<Result<CsvBlock>> ahead_;
  const std::stop_token stop_;
  Work work_;
  Take take_;
  std::deque<Working> working_;
  std::size_t bytes_ = 0;
};

}  // namespace lo::dataset
