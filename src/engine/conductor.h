// Where decisions meet the world: takes submissions, makes them durable, lets the Plan decide, has the Runner run, and records what
// comes of it. All state lives on one strand and nothing there blocks; every public function may be called from any thread, and its
// callback runs after the change is on disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "engine/plan.h"
#include "engine/registry.h"
#include "engine/runner.h"

namespace lo::engine {

// A reference in a request: "titanic" or "titanic@2", and where it stands in the body, for errors.
struct Mention {
  std::string text;
  std::string pointer;
  bool despite_failure = false;  // a step that has failed is taken as well: what is made from it then fails with it
};

struct NewStep {
  std::string name;
  std::string service;
  json::object request;  // normalised
  json::object labels;
};

// Steps that are accepted together, all or none, and run as one job: they have the same mentions.
struct Submission {
  std::vector<NewStep> steps;
  std::vector<Mention> mentions;
  std::optional<catalog::Receipt> receipt = {};  // committed with them
};

// What a step was when somebody looked: changes when it gets a new revision, and with the state of the newest.
struct Version {
  catalog::StepId step = 0;
  int revision = 0;
  State state = State::waiting;
  bool operator==(const Version&) const = default;
};

// A change is made only if the step is one of these versions in the moment of accepting it, else Code::precondition. Nothing: in any case.
using OnlyIf = std::optional<std::vector<Version>>;

// A new revision of a step that exists.
struct Revise {
  enum class Kind {
    replace,  // PATCH: what runs is cancelled, children that wait get the new one
    rerun,    // the same request again; Code::conflict while the step is busy
    amend,    // dataType: made from the step's own newest revision, which goes on
  };
  std::string name;
  Kind kind = Kind::replace;
  std::string operation;
  json::object request;
  std::vector<Mention> mentions;
  bool cascade = false;  // everything made from the step is made anew, too, parents first; answered once all of it is on disk

  // The time for which it is made. Without it: as the request's schedule says if `kind` is replace, or, when `automatic`, because its
  // inputs were made anew: that of its inputs.
  std::optional<WallTime> scheduled_for = {};
  bool automatic = false;
  bool backfill = false;  // that time is over, and the step's schedule goes on from now
  OnlyIf only_if = {};
  std::optional<catalog::Receipt> receipt = {};  // committed with the revision, not with what it cascades to
};

// The request of a revision once more, with references to the same names, made for the same time. An amendment amends again.
Revise again(const catalog::Revision& revision);

// What makes a step's newest result again: the request that its service took last, then what amended it since. `revisions` of one
// step, oldest first, not empty.
std::vector<Revise> again(const std::vector<catalog::Revision>& revisions);

struct Accepted {
  std::string name;
  RevisionKey key;
};

struct Retired {
  std::string name;
  RevisionKey key;
};

struct Removed {
  std::vector<catalog::Step> steps;
};

// What the engine knows of a step beyond the catalog.
struct Standing {
  Version of = {};                      // what this is said of
  std::vector<std::string> waits_for;   // names of unfinished parents
  std::optional<int> queue_place;
  std::vector<std::string> short_of;    // in the queue: "cpu", "memory", "gpu"
  std::optional<double> retry_in;       // seconds
  std::optional<WallTime> due = {};       // scheduled: when it starts
  std::optional<WallTime> next_run = {};  // by its cron schedule
  std::optional<std::string> stale;     // why
  std::vector<std::pair<std::string, int>> newest_parents;  // of the newest revision: name, newest usable revision
};

// A step with everything that it was made from and that was made from it, by newest revisions.
struct Lineage {
  struct Node {
    std::string name, service;
    int revision = 0;
    State state = State::waiting;
    std::optional<std::string> stale;  // why
  };
  struct Edge {
    std::string from, to;      // names: `to` was made from `from`
    int revision = 0;          // of `from`
    std::string reference;     // as the request of `to` names it: "titanic", "titanic@2"
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
};

enum class Direction { up, down, both };

struct ConductorPorts {
  asio::any_io_executor executor;
  std::shared_ptr<Clock> clock;
  catalog::Catalog* catalog = nullptr;
  Runner* runner = nullptr;
  BlockingPool* pool = nullptr;
  // What runs the steps' code, for cache keys: two servers with the same text give the same results.
  std::string installed = {};
  // What is known of the URLs that a request names, such as their validators: nothing when that says nothing. Blocks; on the pool.
  std::function<std::optional<std::string>(std::string_view operation, const json::object& request)> outside = {};
  // Keeps a result that is on record until settle() is told of it; false when it is not there whole. Blocks; on the pool.
  std::function<bool(const json::object& result)> claim = {};
  // A result that a runner published (store::Manifest as JSON), or that was claimed, is on record now, or was refused and nothing will name it.
  std::function<void(json::object result)> settle = {};
};

class Conductor {
 public:
  static std::shared_ptr<Conductor> make(ConductorPorts ports, PlanOptions options);
  ~Conductor();

  // Reads the catalog (blocking) and takes up everything that has not ended. Once, before anything else.
  Status recover();

  void submit(Submission submission, Callback<Result<std::vector<Accepted>>> done);
  void revise(Revise revision, Callback<Result<Accepted>> done);

  // Makes the step's newest result again: a dataset that was typed in place is typed again. Code::not_found; Code::conflict while it is
  // busy. `cascade` as above. `receipt` is committed with the last of what makes it.
  void rerun(std::string name, bool cascade, Callback<Result<Accepted>> done, OnlyIf only_if = {}, std::optional<catalog::Receipt> receipt = {});

  // Makes the newest results of these steps for another time, which is over, one after another in this order: each is made from what those before
  // it will give, and what waits or is scheduled is replaced. Done once all are on disk, with `receipt` in the last one's batch. Code::not_found for
  // a name that is none; Code::conflict naming a step that runs, or is about to, and then nothing is made.
  void backfill(std::vector<std::string> names, WallTime scheduled_for, Callback<Status> done, std::optional<catalog::Receipt> receipt = {});

  // Why submit() or revise() would refuse each of these now: limits that this server does not have, references that bind to
  // nothing. Changes nothing.
  struct Question {
    json::object request;
    std::vector<Mention> mentions;
  };
  void check(std::vector<Question> questions, Callback<std::vector<Status>> done);

  // Ends every revision of the step that has not ended, and its schedule. Success also when it is cancelled already; Code::conflict when
  // it ended otherwise, Code::not_found.
  void cancel(std::string name, Callback<Status> done, OnlyIf only_if = {});

  // Frees the name. Code::conflict when it is busy or used by others, unless `cascade`: then it is cancelled and what was made from
  // it is removed too. `service` must be the step's, else Code::not_found.
  void remove(std::string name, std::string service, bool cascade, Callback<Result<Removed>> done, OnlyIf only_if = {});

  // Removes the superseded revisions that `keep` does not keep, and gives them; with `dry_run` only gives them.
  void retire(Retention keep, bool dry_run, Callback<Result<std::vector<Retired>>> done);

  void standing(std::string name, Callback<std::optional<Standing>> done);

  // Nothing when there is no such step.
  void lineage(std::string name, Direction direction, Callback<std::optional<Lineage>> done);

  // Numbers for /metrics and /ready: running and queued jobs, steps by name, whether the catalog takes writes.
  struct Load {
    std::size_t running = 0, queued = 0;
    bool writable = true;
  };
  void load(Callback<Load> done);

  // Looks at the clock now, as it does by itself at least every minute while something is scheduled.
  void wake();

  // Takes no more submissions, has the runner stop; what ran is handed back to the queue. done: all of it is on disk.
  void shutdown(std::move_only_function<void()> done);

 private:
  class Impl;
  class Listener;
  explicit Conductor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace lo::engine
