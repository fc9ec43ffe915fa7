// A catalog in memory with the semantics of the real one (both pass catalog_suite.h), for tests of what stands on it.
#pragma once

#include <atomic>
#include <deque>
#include <memory>

#include "base/mutex.h"
#include "catalog/catalog.h"

namespace lo::catalog {

class Memory;

// What outlives a FakeCatalog, as a disk outlives a process. One catalog at a time.
std::shared_ptr<Memory> make_memory();

class FakeCatalog final : public Catalog {
 public:
  // immediate: commit() does all of it before it returns, listener and `done` included, on the calling thread. A commit from
  //   within a `done` is done after that one has returned.
  // manual: commits wait until the test calls flush(); what still waits at the end is lost, as with kill -9.
  enum class Mode { immediate, manual };

  // A restart is a second catalog over the first one's memory.
  explicit FakeCatalog(Mode mode = Mode::immediate, std::shared_ptr<Memory> memory = make_memory());
  ~FakeCatalog() override;

  // The next `times` commits are refused with `error`, none of their changes applied.
  void fail_next(Error error, int times = 1);

  std::size_t waiting() const;  // commits handed over and not yet flushed

  // Applies the commits that wait (at most `most` of them) as one group, then calls the listener and the `done`s, here.
  // Gives how many there were; what a `done` commits is not among them.
  std::size_t flush(std::size_t most = static_cast<std::size_t>(-1));

  // Flushes until nothing waits, also what the `done`s commit.
  void flush_all();

  void commit(Batch batch, Callback<Status> done) override;
  void trim_events(std::int64_t keep, Callback<Result<std::int64_t>> done) override;
  StepId next_step_id() override;
  void on_events(std::function<void(std::span<const Event>)> listener) override;

  Result<std::optional<Step>> find_step(std::string_view name) override;
  Result<std::vector<Step>> list_steps(const StepFilter& filter) override;
  Result<std::optional<Revision>> revision(RevisionKey key) override;
  Result<std::vector<Revision>> revisions(StepId step) override;
  Result<std::vector<Attempt>> attempts(StepId step) override;
  Result<std::vector<Event>> events_after(std::int64_t seq, const EventFilter& filter, int limit) override;
  Result<std::int64_t> last_event() override;
  Result<std::int64_t> first_event() override;
  Result<std::vector<Subscription>> subscriptions() override;
  Result<std::optional<Workflow>> find_workflow(std::string_view name) override;
  Result<std::vector<Workflow>> list_workflows(std::int64_t limit, std::int64_t skip) override;
  Result<std::optional<Receipt>> find_receipt(std::string_view key) override;
  Result<std::vector<Usage>> usage(std::string_view label) override;
  Result<std::vector<std::string>> garbage() override;
  Result<std::vector<std::string>> unreferenced(std::vector<std::string> digests) override;
  Result<std::vector<std::string>> held_only_by(std::vector<RevisionKey> revisions) override;
  Result<std::set<std::string>> live_digests() override;
  Status each_step(const std::function<void(Step)>& visit) override;
  Status each_revision(const Outline& outline, const std::function<void(Revision)>& visit) override;
  Result<std::vector<Revision>> open_revisions() override;
  Result<std::vector<Step>> all_steps() override;
  Result<std::vector<Revision>> all_revisions() override;

 private:
  // Changes the memory, adds to the events to be told, and gives what tells the caller.
  using Tell = std::move_only_function<void()>;
  using Work = std::move_only_function<Tell(Memory&, std::vector<Event>&)>;

  void hand_over(Work work);
  std::vector<Work> take(std::size_t most);
  std::size_t work_off(std::vector<Work> group);
  Status take_failure() LO_REQUIRES(mutex_);

  const Mode mode_;
  std::function<void(std::span<const Event>)> listener_;  // set once, before commits
  std::atomic<StepId> next_id_;

  mutable Mutex mutex_;
  const std::shared_ptr<Memory> memory_;  // its content under mutex_
  std::deque<Work> waiting_ LO_GUARDED_BY(mutex_);
  bool flushing_ LO_GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ LO_GUARDED_BY(mutex_);
  int failures_left_ LO_GUARDED_BY(mutex_) = 0;
};

}  // namespace lo::catalog
