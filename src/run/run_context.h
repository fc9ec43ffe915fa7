// What the classes of this folder share. Made once, constant afterwards, but for the board, which guards itself.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "base/async.h"
#include "base/clock.h"
#include "run/cgroup.h"
#include "run/child_reaper.h"
#include "run/runner.h"
#include "run/status_board.h"

namespace lo::run {

struct RunContext {
  RunContext(RunOptions chosen, Cgroups groups)
      : options(std::move(chosen)), strand(asio::make_strand(options.executor)), cgroups(std::move(groups)), board(options.status_changed) {}

  RunOptions options;
  Strand strand;  // all state of this folder's classes is touched there
  Cgroups cgroups;
  std::string server_id;  // of the data folder on this machine
  std::int64_t memory_bytes = 0;  // limit of a job that states none
  std::shared_ptr<ChildReaper> reaper;
  StatusBoard board;
  SystemClock clock;
  mutable std::atomic<bool> checkpoints = false;  // there may be some: most servers never have any

  std::filesystem::path run_folder() const { return options.data / "run"; }
  std::filesystem::path environments_folder() const { return options.data / "environments"; }

  // Does `work` on the pool, then `then(its result)` on the strand.
  template <class Work, class Then>
  void on_pool(Work work, Then then) {
    options.pool->post([strand = strand, work = std::move(work), then = std::move(then)]() mutable {
      asio::post(strand, [then = std::move(then), result = work()]() mutable { then(std::move(result)); });
    });
  }
};

}  // namespace lo::run
