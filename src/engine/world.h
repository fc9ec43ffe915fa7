// The whole engine in random worlds with failures, cancels, changes, deletions and kill -9, over a catalog that saves when the world says
// so: nothing acknowledged is lost, each revision ends once, nothing starts before its inputs, and in the end nothing is left. For property tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/conductor.h"
#include "engine/fake_runner.h"

namespace lo::engine {

// One server's life over a catalog that saves when it is told. Everything but the pool's work runs when the world says so.
template <class Catalog>
struct Life {
  Life(std::unique_ptr<Catalog> disk, std::shared_ptr<Clock> clock) : catalog_owner(std::move(disk)), catalog(*catalog_owner) {
    ConductorPorts ports{.executor = io.get_executor(), .clock = std::move(clock), .catalog = &catalog, .runner = &runner, .pool = &pool};
    ports.claim = [](const json::object&) { return true; };
    ports.settle = [](json::object) {};
    conductor = Conductor::make(std::move(ports), {.cpu_capacity = 3});
    EXPECT_TRUE(conductor->recover());
  }

  // Until neither the strand nor the pool has anything left to do.
  void settle() {
    for (int idle = 0; idle < 2;) {
      std::promise<void> drained;
      pool.post([&] { drained.set_value(); });
      drained.get_future().wait();
      io.restart();
      idle = io.poll() == 0 ? idle + 1 : 0;
    }
  }

  asio::io_context io{1};
  const std::unique_ptr<Catalog> catalog_owner;
  Catalog& catalog;
  FakeRunner runner;
  BlockingPool pool{1};
  std::shared_ptr<Conductor> conductor;
};

// When a world is killed besides, by the number of its write: before it, or between it and its word.
struct Death {
  int write = 0;  // 1, 2, …; 0 = not
  bool written = false;
};

// `Disk` outlives its catalogs: catalog() opens another one, of type Disk::Catalog, when the last one is gone.
template <class Disk>
class World {
 public:
  explicit World(unsigned seed, Death death = {}) : random_(seed), death_(death) { start(); }

  void live(int least = 10, int most = 80) {
    for (int i = pick(least, most); i > 0 && !testing::Test::HasFailure(); --i) something_happens();
    come_to_rest();
    check();
  }

  int writes() const { return writes_; }

 private:
  struct Job {
    JobRequest request;
    std::set<RevisionKey> open;
  };

  int pick(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  void start() {
    life_.reset();
    life_ = std::make_unique<Life<typename Disk::Catalog>>(disk_.catalog(), clock_);
    seen_ = 0;
    jobs_.clear();
    life_->settle();
    look();
  }

  void something_happens() {
    switch (pick(0, 15)) {
      case 0: case 1: case 2: submit(); break;
      case 3: revise(); break;
      case 4: cancel(); break;
      case 5: remove(); break;
      case 6: chance(0.7) ? rerun() : backfill(); break;
      case 7: pass(std::chrono::minutes{pick(0, 90)}); break;
      case 8: if (chance(0.4)) start(); break;  // kill -9: what was not saved is gone
      case 9: case 10: case 11: write(static_cast<std::size_t>(pick(1, 5))); break;
      default: end_something(); break;
    }
    life_->settle();
    look();
  }

  void write(std::size_t most) {
    for (; most > 0 && life_->catalog.waiting() > 0; --most) {
      if (++writes_ != death_.write) {
        life_->catalog.flush(1);
        continue;
      }
      if (death_.written) disk_.write_untold(life_->catalog);
      return start();
    }
  }

  std::string some_name() const { return "s" + std::to_string(std::mt19937(random_)() % static_cast<unsigned>(std::max(1, submitted_))); }

  json::object request() {
    json::object out{{"function", std::to_string(pick(0, 3))}, {"retry", {{"maxAttempts", pick(1, 3)}, {"delay", pick(0, 60)}}}};
    if (chance(0.2)) out["cache"] = "use";
    if (chance(0.2)) out["autoUpdate"] = true;
    if (chance(0.1)) out["schedule"] = {{"at", format_time(clock_->now() + std::chrono::minutes{pick(-5, 60)})}};
    return out;
  }

  std::vector<Mention> mentions() {
    std::vector<Mention> out;
    for (int i = pick(0, 2); i > 0 && submitted_ > 0; --i) out.push_back({.text = "s" + std::to_string(pick(0, submitted_ - 1)), .pointer = "/x"});
    return out;
  }

  void submit() {
    Submission submission{.steps = {}, .mentions = mentions()};
    for (int i = pick(1, 2); i > 0; --i)
      submission.steps.push_back({.name = "s" + std::to_string(submitted_++), .service = "function/python", .request = request(), .labels = {}});
    life_->conductor->submit(std::move(submission), [this](Result<std::vector<Accepted>> accepted) {
      if (accepted)
        for (auto& step : *accepted) acknowledged_[step.name] = step.key;
    });
  }

  void revise() {
    Revise revise{.name = some_name(), .kind = Revise::Kind::replace, .operation = "function/python", .request = request(), .mentions = mentions(), .cascade = chance(0.5)};
    life_->conductor->revise(std::move(revise), [this](Result<Accepted> accepted) { acknowledge(accepted); });
  }

  void rerun() {
    life_->conductor->rerun(some_name(), chance(0.3), [this](Result<Accepted> accepted) { acknowledge(accepted); });
  }

  void backfill() {
    std::set<std::string> names{some_name(), some_name()};
    life_->conductor->backfill({names.begin(), names.end()}, clock_->now() - std::chrono::hours{pick(0, 48)}, [](Status) {});
  }

  void acknowledge(const Result<Accepted>& accepted) {
    if (accepted) acknowledged_[accepted->name] = std::max(acknowledged_[accepted->name], accepted->key);
  }

  void cancel() {
    life_->conductor->cancel(some_name(), [](Status) {});
  }

  // What a server that is killed had been asked to delete may be there or not.
  void remove() {
    auto name = some_name();
    doomed_.insert(name);
    auto cascade = chance(0.5);
    if (cascade)
      for (const auto& [other, key] : acknowledged_) doomed_.insert(other);
    life_->conductor->remove(name, "function/python", cascade, [](Result<Removed>) {});
  }

  void pass(Duration by) {
    clock_->advance(by);
    life_->conductor->wake();
  }

  // What the runner was given since, and whether it may have been.
  void look() {
    for (; seen_ < life_->runner.started(); ++seen_) {
      auto request = life_->runner.wait_for_job(seen_);
      Job job{.request = request, .open = {}};
      for (const auto& member : request.members) {
        job.open.insert(member.key);
        auto revision = life_->catalog.revision(member.key);
        EXPECT_TRUE(revision && *revision && !is_terminal((*revision)->state)) << member.name << " was started when it had ended, or before it was accepted";
      }
      for (const auto& input : request.inputs) EXPECT_FALSE(input.manifest.empty()) << "started before its input " << input.name;
      jobs_.push_back(std::move(job));
    }
  }

  void end_something() {
    if (jobs_.empty()) return;
    auto at = jobs_.begin() + pick(0, static_cast<int>(jobs_.size()) - 1);
    if (at->open.empty() || chance(0.1)) {
      life_->runner.end_job(at->request.token);
      jobs_.erase(at);
      return;
    }
    auto member = *at->open.begin();
    at->open.erase(member);
    Outcome outcome;
    outcome.reason = Reason::error;
    if (chance(0.75)) {
      outcome = {};
      outcome.state = State::finished;
      outcome.manifest = {{"kind", "object"}, {"typeName", std::to_string(pick(0, 2))}};
      outcome.facts = {{kResultDigest, outcome.manifest.at("typeName")}};
    }
    life_->runner.end_member(at->request.token, member, std::move(outcome));
  }

  bool at_rest() {
    if (!jobs_.empty() || life_->catalog.waiting() > 0) return false;
    auto revisions = life_->catalog.all_revisions();
    return std::ranges::all_of(*revisions, [](const catalog::Revision& revision) { return is_terminal(revision.state); });
  }

  void come_to_rest() {
    for (int i = 0; i < 20'000 && !at_rest(); ++i) {
      if (chance(0.5)) end_something();
      if (chance(0.5)) write(life_->catalog.waiting());
      if (jobs_.empty()) pass(std::chrono::minutes{10});
      life_->settle();
      look();
    }
    EXPECT_TRUE(at_rest()) << "not quiescent";
  }

  void check() {
    for (const auto& [name, key] : acknowledged_) {
      if (doomed_.contains(name)) continue;
      auto revision = life_->catalog.revision(key);
      EXPECT_TRUE(revision && *revision) << name << " was acknowledged and is lost";
    }
    auto events = life_->catalog.events_after(0, {}, 1'000'000);
    std::map<std::pair<std::string, int>, int> ends;
    for (const auto& event : *events) {
      if (event.type == "deleted") std::erase_if(ends, [&](const auto& end) { return end.first.first == event.name; });
      if (event.type == "finished" || event.type == "failed" || event.type == "cancelled") ++ends[{event.name, event.revision}];
    }
    for (const auto& [revision, count] : ends) EXPECT_EQ(count, 1) << revision.first << "@" << revision.second << " ended " << count << " times";
    auto load = std::promise<Conductor::Load>();
    life_->conductor->load([&](Conductor::Load now) { load.set_value(now); });
    life_->settle();
    auto now = load.get_future().get();
    EXPECT_EQ(now.running + now.queued, 0U);
  }

  std::mt19937 random_;
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();  // read and set here alone: the strand runs in settle()
  const Death death_;
  Disk disk_;
  int writes_ = 0;
  int submitted_ = 0;
  std::map<std::string, RevisionKey> acknowledged_;
  std::set<std::string> doomed_;
  std::size_t seen_ = 0;
  std::vector<Job> jobs_;
  std::unique_ptr<Life<typename Disk::Catalog>> life_;
};

}  // namespace lo::engine
