// Pieces of a table, worked on side by side: made in one thread, worked on by Arrow's CPU threads, taken in order by the caller's.
#pragma once

#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/ahead.h"
#include "base/error.h"
#include "dataset/arrow_error.h"

namespace lo::dataset {

template <class Piece>
struct Pieces {
  std::string what;                                              // that is done with them: "the ingest"
  std::move_only_function<Result<std::optional<Piece>>()> next;  // nothing after the last one; not called again after an error
  std::function<std::size_t(const Piece&)> bytes;                // that one takes in memory
};

// `work(piece)` gives something for each piece; `take(piece, what)` is called with it, in the order of the pieces, and ends everything by an error. An
// error of the pieces is passed on. Code::cancelled after `stop`. Memory is bounded by some 40 MB of pieces, or five of them where they are larger.
template <class Piece, class Work, class Take>
class Pipeline {
 public:
  Pipeline(Pieces<Piece> pieces, std::stop_token stop, Work work, Take take)
      : what_(std::move(pieces.what)),
        stop_(std::move(stop)),
        work_(std::move(work)),
        take_(std::move(take)),
        bytes_of_(pieces.bytes),
        ahead_("reader", kBytesAhead, making(std::move(pieces)), [bytes = bytes_of_](const Result<Piece>& piece) { return piece ? bytes(*piece) : 0; }) {}

  // What is worked on uses what others own.
  ~Pipeline() {
    for (const auto& each : working_) each.what.Wait();
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  Status run() {
    while (auto piece = ahead_.next()) {
      LO_TRY(go_on());
      if (!*piece) return fail(piece->error());
      LO_TRY(submit(**std::move(piece)));
      while (working_.size() >= kPiecesAhead || bytes_ >= kBytesAhead) LO_TRY(take_next());
    }
    while (!working_.empty()) LO_TRY(take_next());
    return {};
  }

 private:
  static constexpr std::size_t kPiecesAhead = 4;                     // worked on while the first of them is taken …
  static constexpr std::size_t kBytesAhead = std::size_t{16} << 20;  // … fewer where they are large

  using What = std::invoke_result_t<Work, const Piece&>;
  struct Working {
    std::shared_ptr<const Piece> piece;
    arrow::Future<What> what;
  };

  static std::move_only_function<std::optional<Result<Piece>>()> making(Pieces<Piece> pieces) {
    return [pieces = std::move(pieces), failed = false]() mutable -> std::optional<Result<Piece>> {
      if (failed) return std::nullopt;
      auto next = guarded(pieces.what, [&] { return pieces.next(); });
      failed = !next;
      if (!next) return fail(next.error());
      return *next ? std::optional<Result<Piece>>(**std::move(next)) : std::nullopt;
    };
  }

  Status go_on() const {
    if (stop_.stop_requested()) return fail(Code::cancelled, what_ + " was cancelled");
    return {};
  }

  Status submit(Piece piece) {
    auto shared = std::make_shared<const Piece>(std::move(piece));
    auto work = [shared, work = work_] { return work(*shared); };
    LO_ARROW_ASSIGN(auto what, arrow::internal::GetCpuThreadPool()->Submit(std::move(work)), what_);
    bytes_ += bytes_of_(*shared);
    working_.push_back({std::move(shared), std::move(what)});
    return {};
  }

  Status take_next() {
    LO_TRY(go_on());
    auto next = std::move(working_.front());
    working_.pop_front();
    bytes_ -= bytes_of_(*next.piece);
    LO_ARROW_ASSIGN(auto what, next.what.MoveResult(), what_);
    return take_(*next.piece, std::move(what));
  }

  const std::string what_;
  const std::stop_token stop_;
  Work work_;
  Take take_;
  const std::function<std::size_t(const Piece&)> bytes_of_;
  Ahead<Result<Piece>> ahead_;
  std::deque<Working> working_;
  std::size_t bytes_ = 0;
};

}  // namespace lo::dataset
