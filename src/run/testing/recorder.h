// A listener for tests that remembers what it is told and can be waited for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/runner.h"

namespace lo::run {

// Any thread.
class Recorder final : public engine::JobListener {
 public:
  void progress(const std::string&, engine::RevisionKey, json::object data) override {
    change([&] { progress_.push_back(std::move(data)); });
  }
  void member_ended(const std::string&, engine::RevisionKey member, engine::Outcome outcome) override {
    change([&] {
      if (ended_ || !outcomes_.emplace(member, std::move(outcome)).second) broken_ = true;
    });
  }
  void job_ended(const std::string&) override {
    change([&] {
      if (ended_) broken_ = true;
      ended_ = true;
    });
  }

  engine::Outcome outcome(engine::RevisionKey member = {1, 1}) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return outcomes_.contains(member); });
    return outcomes_.at(member);
  }
  void wait_progress(std::size_t count) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return progress_.size() >= count; });
  }
  // Once job_ended was told; throws when the order of calls was not as promised.
  void wait_end() {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return ended_; });
    if (broken_) throw std::logic_error("a member or job ended twice");
  }
  bool has_outcome(engine::RevisionKey member) {
    std::unique_lock lock(mutex_);
    return outcomes_.contains(member);
  }

 private:
  template <class Change>
  void change(Change apply) {
    std::unique_lock lock(mutex_);
    apply();
    changed_.notify_all();
  }
  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, Condition condition) {
    if (!changed_.wait_for(lock, kPatience, condition)) throw std::runtime_error("waited in vain");
  }

  static constexpr std::chrono::seconds kPatience{240};  // beyond what ctest has: it is ctest that tells a hang

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<json::object> progress_;
  std::map<engine::RevisionKey, engine::Outcome> outcomes_;
  bool ended_ = false;
  bool broken_ = false;
};

}  // namespace lo::run
