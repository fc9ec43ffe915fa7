// The registry of the server that decides, as another one keeps it: read from the catalog once, then again wherever an event says that something has
// changed. It answers only what it is sure of.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/async.h"
#include "catalog/catalog.h"
#include "engine/conductor.h"

namespace lo::engine {

struct MirrorPorts {
  using VisitStep = std::function<void(catalog::Step)>;
  using VisitRevision = std::function<void(catalog::Revision)>;

  asio::any_io_executor executor;
  BlockingPool* pool = nullptr;
  catalog::Catalog* catalog = nullptr;
  // The steps of these names, then their revisions in outline. Blocks; on the pool.
  std::function<Status(const std::vector<std::string>& names, const catalog::Outline&, const VisitStep&, const VisitRevision&)> each_named = {};
};

class Mirror {
 public:
  explicit Mirror(MirrorPorts ports);
  ~Mirror();
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  // Begins to read the catalog. Once. Returns at once. Any thread.
  void start();

  // These have been committed. Any thread.
  void changed(std::span<const catalog::Event> events);

  // Of a step whose newest revision has ended and that has no schedule, as far as this server has heard; nothing of any other. Any thread.
  void standing(std::string name, Callback<std::optional<Standing>> done);

  // Forgets everything, and learns nothing more. Any thread.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lo::engine
