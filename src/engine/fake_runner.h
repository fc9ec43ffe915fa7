// A runner whose jobs end when the test says so. For tests of what stands on engine::Runner.
#pragma once

#include <map>

#include "base/mutex.h"
#include "engine/runner.h"

namespace lo::engine {

class FakeRunner final : public Runner {
 public:
  struct Stopped {
    std::string token;
    std::optional<RevisionKey> member;
  };

  void start(JobRequest job, std::shared_ptr<JobListener> listener) override {
    MutexLock lock(mutex_);
    jobs_.push_back(job);
    listeners_[job.token] = std::move(listener);
    changed_.notify_all();
  }

  void stop(const std::string& token, std::optional<RevisionKey> member, State, Reason) override {
    MutexLock lock(mutex_);
    stopped_.push_back({.token = token, .member = member});
    changed_.notify_all();
  }

  void forget(RevisionKey revision) override {
    MutexLock lock(mutex_);
    forgotten_.insert(revision);
  }
  void forget_all_but(std::set<RevisionKey> revisions) override {
    MutexLock lock(mutex_);
    kept_ = std::move(revisions);
  }
  std::set<RevisionKey> forgotten() const {
    MutexLock lock(mutex_);
    return forgotten_;
  }
  std::optional<std::set<RevisionKey>> kept() const {
    MutexLock lock(mutex_);
    return kept_;
  }

  void warm() override {}
  json::object status() const override { return {}; }

  void shutdown(std::move_only_function<void()> done) override { done(); }

  // The n-th job that was started (from 0), once it is.
  JobRequest wait_for_job(std::size_t n) {
    MutexLock lock(mutex_);
    while (jobs_.size() <= n) changed_.wait(mutex_);
    return jobs_[n];
  }

  Stopped wait_for_stop(std::size_t n) {
    MutexLock lock(mutex_);
    while (stopped_.size() <= n) changed_.wait(mutex_);
    return stopped_[n];
  }

  std::size_t started() const {
    MutexLock lock(mutex_);
    return jobs_.size();
  }

  void end_member(const std::string& token, RevisionKey member, Outcome outcome) {
    listener(token)->member_ended(token, member, std::move(outcome));
  }
  void end_job(const std::string& token) { listener(token)->job_ended(token); }

  // All members with the same outcome, then the job.
  void end(const JobRequest& job, const Outcome& outcome) {
    for (const auto& member : job.members) end_member(job.token, member.key, outcome);
    end_job(job.token);
  }

 private:
  std::shared_ptr<JobListener> listener(const std::string& token) const {
    MutexLock lock(mutex_);
    return listeners_.at(token);
  }

  mutable Mutex mutex_;
  Condition changed_;
  std::vector<JobRequest> jobs_ LO_GUARDED_BY(mutex_);
  std::vector<Stopped> stopped_ LO_GUARDED_BY(mutex_);
  std::set<RevisionKey> forgotten_ LO_GUARDED_BY(mutex_);
  std::optional<std::set<RevisionKey>> kept_ LO_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<JobListener>> listeners_ LO_GUARDED_BY(mutex_);
};

}  // namespace lo::engine
