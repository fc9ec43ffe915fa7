// A real catalog whose commits wait until a test lets them through: for crashes between any two writes, and between a write and its word.
#pragma once

#include <deque>
#include <future>
#include <memory>

#include "catalog/catalog.h"

namespace lo::catalog {

// One thread uses it, but for commit(), which any may call while flush() does not run. What waits at the end is lost, as with kill -9.
class HeldCatalog final : public Catalog {
 public:
  explicit HeldCatalog(std::unique_ptr<Catalog> disk) : disk_(std::move(disk)) {
    disk_->on_events([this](std::span<const Event> events) { told_.insert(told_.end(), events.begin(), events.end()); });
  }

  std::size_t waiting() const { return waiting_.size(); }

  // Writes what waits (at most `most` commits), one after the other, then calls the listener and the `done`s, here. Gives how many there were.
  std::size_t flush(std::size_t most = static_cast<std::size_t>(-1)) {
    std::size_t count = 0;
    for (; count < most && !waiting_.empty(); ++count) {
      auto commit = take();
      auto status = write(std::move(commit.batch));
      if (auto events = std::exchange(told_, {}); listener_ && !events.empty()) listener_(events);
      if (commit.done) commit.done(status);
    }
    return count;
  }

  // Writes the first that waits and tells nobody: what a server finds that was killed in between.
  void write_untold() {
    if (!waiting_.empty()) write(take().batch);
  }

  void commit(Batch batch, Callback<Status> done) override { waiting_.push_back({.batch = std::move(batch), .done = std::move(done)}); }
  void on_events(std::function<void(std::span<const Event>)> listener) override { listener_ = std::move(listener); }

  void trim_events(std::int64_t keep, Callback<Result<std::int64_t>> done) override { disk_->trim_events(keep, std::move(done)); }
  StepId next_step_id() override { return disk_->next_step_id(); }
  Result<std::optional<Step>> find_step(std::string_view name) override { return disk_->find_step(name); }
  Result<std::vector<Step>> list_steps(const StepFilter& filter) override { return disk_->list_steps(filter); }
  Result<std::optional<Revision>> revision(RevisionKey key) override { return disk_->revision(key); }
  Result<std::vector<Revision>> revisions(StepId step) override { return disk_->revisions(step); }
  Result<std::vector<Attempt>> attempts(StepId step) override { return disk_->attempts(step); }
  Result<std::vector<Event>> events_after(std::int64_t seq, const EventFilter& filter, int limit) override { return disk_->events_after(seq, filter, limit); }
  Result<std::int64_t> last_event() override { return disk_->last_event(); }
  Result<std::int64_t> first_event() override { return disk_->first_event(); }
  Result<std::vector<Subscription>> subscriptions() override { return disk_->subscriptions(); }
  Result<std::optional<Workflow>> find_workflow(std::string_view name) override { return disk_->find_workflow(name); }
  Result<std::vector<Workflow>> list_workflows(std::int64_t limit, std::int64_t skip) override { return disk_->list_workflows(limit, skip); }
  Result<std::optional<Receipt>> find_receipt(std::string_view key) override { return disk_->find_receipt(key); }
  Result<std::vector<Usage>> usage(std::string_view label) override { return disk_->usage(label); }
  Result<std::vector<std::string>> garbage() override { return disk_->garbage(); }
  Result<std::vector<std::string>> unreferenced(std::vector<std::string> digests) override { return disk_->unreferenced(std::move(digests)); }
  Result<std::vector<std::string>> held_only_by(std::vector<RevisionKey> revisions) override { return disk_->held_only_by(std::move(revisions)); }
  Result<std::set<std::string>> live_digests() override { return disk_->live_digests(); }
  Status each_step(const std::function<void(Step)>& visit) override { return disk_->each_step(visit); }
  Status each_revision(const Outline& outline, const std::function<void(Revision)>& visit) override { return disk_->each_revision(outline, visit); }
  Result<std::vector<Revision>> open_revisions() override { return disk_->open_revisions(); }
  Result<std::vector<Step>> all_steps() override { return disk_->all_steps(); }
  Result<std::vector<Revision>> all_revisions() override { return disk_->all_revisions(); }

 private:
  struct Waiting {
    Batch batch;
    Callback<Status> done;
  };

  Waiting take() {
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }

  Status write(Batch batch) {
    std::promise<Status> written;
    disk_->commit(std::move(batch), [&](Status status) { written.set_value(std::move(status)); });
    return written.get_future().get();
  }

  std::function<void(std::span<const Event>)> listener_;
  std::deque<Waiting> waiting_;
  std::vector<Event> told_;  // by the disk's thread, before a write has returned
  const std::unique_ptr<Catalog> disk_;
};

}  // namespace lo::catalog
