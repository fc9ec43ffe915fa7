// The durable memory of the server: every step, revision, attempt and event. One writer, many readers.
//
// Threads: commit() may be called from any thread and returns at once; `done` runs on the catalog's writer thread after the
// commit is on disk (fsync), in the order of the calls. Reads block (microseconds to milliseconds): call them on the
// BlockingPool, or at start. A read sees every commit whose `done` has run.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>

#include "base/async.h"
#include "catalog/records.h"

namespace lo::catalog {

inline constexpr std::int64_t kKeptEvents = 100'000;  // the newest that trim_events() always leaves

class Catalog {
 public:
  virtual ~Catalog() = default;

  // All changes or none. Many calls share one fsync (group commit); one that is refused does not take others with it.
  // What a change can be refused with stands in records.h; Code::no_space and Code::io (the disk) fail all that shared the
  // fsync. `done` may be empty, may commit again, and must not block.
  virtual void commit(Batch batch, Callback<Status> done) = 0;

  // Removes the oldest events until at most `keep` are left (never fewer than kKeptEvents). `done` gets how many went.
  virtual void trim_events(std::int64_t keep, Callback<Result<std::int64_t>> done) = 0;

  // The next free StepId, handed out without I/O, never twice, also over restarts. Any thread.
  virtual StepId next_step_id() = 0;

  // Called on the writer thread with the events of each group of commits, in the order of seq and before their `done`s. Set
  // once, before commits.
  virtual void on_events(std::function<void(std::span<const Event>)> listener) = 0;

  virtual Result<std::optional<Step>> find_step(std::string_view name) = 0;
  virtual Result<std::vector<Step>> list_steps(const StepFilter& filter) = 0;  // oldest first
  virtual Result<std::optional<Revision>> revision(RevisionKey key) = 0;
  virtual Result<std::vector<Revision>> revisions(StepId step) = 0;  // oldest first
  virtual Result<std::vector<Attempt>> attempts(StepId step) = 0;    // by revision, then number
  virtual Result<std::vector<Event>> events_after(std::int64_t seq, const EventFilter& filter, int limit) = 0;  // by seq
  virtual Result<std::int64_t> last_event() = 0;   // 0 when there is none
  virtual Result<std::int64_t> first_event() = 0;  // the oldest kept, 0 when there is none; for SSE's `reset`
  virtual Result<std::vector<Subscription>> subscriptions() = 0;  // by name

  virtual Result<std::optional<Workflow>> find_workflow(std::string_view name) = 0;
  virtual Result<std::vector<Workflow>> list_workflows(std::int64_t limit, std::int64_t skip) = 0;  // oldest first
  virtual Result<std::optional<Receipt>> find_receipt(std::string_view key) = 0;

  // What was used, by the values of a label ("owner"), in their order.
  virtual Result<std::vector<Usage>> usage(std::string_view label) = 0;

  // Digests that a removed revision referred to and that no other does: files to remove, until ForgetGarbage.
  virtual Result<std::vector<std::string>> garbage() = 0;
  // Those of `digests` that no revision refers to.
  virtual Result<std::vector<std::string>> unreferenced(std::vector<std::string> digests) = 0;
  // Those that these revisions refer to and no other does: what would be garbage without them.
  virtual Result<std::vector<std::string>> held_only_by(std::vector<RevisionKey> revisions) = 0;
  virtual Result<std::set<std::string>> live_digests() = 0;  // everything that some revision refers to

  // For recovery and for the engine's memory of names, which may be of a hundred thousand steps: one after the other, in any order,
  // revisions in outline. The visitor must not read the catalog.
  virtual Status each_step(const std::function<void(Step)>& visit) = 0;
  virtual Status each_revision(const Outline& outline, const std::function<void(Revision)>& visit) = 0;
  // What has not ended, without its result (`result` is empty), by step, then revision.
  virtual Result<std::vector<Revision>> open_revisions() = 0;

  // Every living step, and every revision of it without its result, by step, then revision.
  virtual Result<std::vector<Step>> all_steps() = 0;
  virtual Result<std::vector<Revision>> all_revisions() = 0;
};

}  // namespace lo::catalog
