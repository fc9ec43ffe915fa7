// What only a server has that decides: the engine, what runs steps, the delivery of webhooks, house-keeping. It is started when the server starts, or,
// where several share a catalog, when this one begins to lead.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/context.h"
#include "engine/conductor.h"
#include "engine/runner.h"
#include "observe/webhooks.h"
#include "run/runner.h"
#include "serve/options.h"
#include "serve/repair.h"

namespace lo::serve {

class Deciding {
 public:
  // All that is referred to outlives it.
  struct Parts {
    const Options& options;
    std::filesystem::path data;
    asio::any_io_executor executor;
    BlockingPool& pool;
    BlockingPool& native_pool;
    api::Context& context;  // gets the engine and the runner; its other parts are there
    observe::Webhooks& webhooks;
    std::function<void()> log_grew;  // any thread
    const std::vector<std::string>& environment;
    const std::map<std::string, std::string>& connections;
  };

  explicit Deciding(Parts parts);

  // Sweeps what a server before has left, reads the catalog, takes up what has not ended. Blocks.
  Status start();

  // Ends running steps or hands them back to the queue, saves. `is_overtaken`: another server leads, and what it notes stays. Blocks, for some seconds
  // at most.
  void stop(bool is_overtaken);

 private:
  run::RunOptions run_options();
  Status sweep();
  Status start_engine();

  Parts parts_;
  RunningMark mark_;
  bool is_marked_ = false;
  std::unique_ptr<engine::Runner> runner_;
  std::shared_ptr<engine::Conductor> conductor_;
};

}  // namespace lo::serve
