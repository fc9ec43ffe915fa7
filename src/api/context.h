// What the handlers work with. Everything outlives them; main.cc fills it in.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/open_keys.h"
#include "base/bell.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "dataset/download.h"
#include "dataset/location.h"
#include "engine/conductor.h"
#include "engine/runner.h"
#include "observe/hub.h"
#include "store/store.h"

namespace prometheus {
class Registry;
}

namespace lo::observe {
class Webhooks;
}

namespace lo::dataset {
struct TableCache;
}

namespace lo::api {

inline constexpr std::string_view kPrefix = "/api/learningOrchestra/v1";

class Profiles;
class ToolIndexes;

// What housekeeping leaves. A limit that is missing keeps all.
struct Keep {
  std::optional<int> revisions = {};                         // of each step, the newest
  std::optional<std::chrono::microseconds> revision_age = {};  // since they ended
  std::int64_t events = 1'000'000;
  std::chrono::microseconds receipts = std::chrono::hours{24};  // answers to requests with an Idempotency-Key
};

struct SweptFiles {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
};

struct Context {
  engine::Conductor* conductor = nullptr;
  engine::Runner* runner = nullptr;  // for jobs that belong to no step
  catalog::Catalog* catalog = nullptr;
  store::Store* store = nullptr;
  dataset::TableCache* tables = nullptr;  // what pages of rows were read of lately; may be missing
  Profiles* profiles = nullptr;
  observe::Hub* hub = nullptr;
  observe::Webhooks* webhooks = nullptr;
  BlockingPool* pool = nullptr;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<prometheus::Registry> metrics;
  dataset::UrlPolicy urls;
  dataset::RemotePolicy remote;          // of s3:// and hdfs://
  std::vector<std::string> connections;  // names of the databases that dataset/sql may ask
  ToolIndexes* tools = nullptr;  // what can be checked of the tools' requests; may be missing

  std::function<std::filesystem::path(engine::RevisionKey, int attempt)> log_path;
  Bell* logs = nullptr;                              // rings when a log has grown
  std::function<json::object()> runners;             // engine::Runner::status
  // What is known of a step beyond the catalog; nothing when there is none of that name, or this server does not know.
  std::function<void(std::string name, Callback<std::optional<engine::Standing>>)> standing;
  std::function<std::optional<std::string>()> follows = {};  // of one of several servers: the address of the one that leads, "" for none; nothing: this one
  std::shared_ptr<OpenKeys> open_keys = std::make_shared<OpenKeys>();
  Keep keep;
  std::function<Result<SweptFiles>(bool dry_run)> sweep_logs;  // removes logs that are not kept; blocks
  std::function<Status()> check_room;                          // Code::no_space while the disk is nearly full; does not block
  std::uint64_t upload_limit = std::uint64_t{1} << 40;  // bytes
};

}  // namespace lo::api
