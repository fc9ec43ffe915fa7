// A conductor over a catalog in memory and a runner whose jobs end when the test says so, that can be killed and started again.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "base/io_threads.h"
#include "base/mutex.h"
#include "catalog/fake_catalog.h"
#include "engine/conductor.h"
#include "engine/fake_runner.h"

namespace lo::engine {

// Set by the test, read by the conductor.
class TestClock final : public Clock {
 public:
  WallTime now() const override {
    MutexLock lock(mutex_);
    return clock_.now();
  }
  SteadyTime steady() const override {
    MutexLock lock(mutex_);
    return clock_.steady();
  }
  void advance(Duration by) {
    MutexLock lock(mutex_);
    clock_.advance(by);
  }
  void jump_wall(Duration by) {
    MutexLock lock(mutex_);
    clock_.jump_wall(by);
  }

 private:
  mutable Mutex mutex_;
  FakeClock clock_ LO_GUARDED_BY(mutex_);
};

inline Outcome finished(json::object manifest = {{"kind", "none"}}) {
  Outcome outcome;
  outcome.state = State::finished;
  outcome.manifest = std::move(manifest);
  return outcome;
}

inline Outcome failed(std::string exception, Reason reason = Reason::error) {
  Outcome outcome;
  outcome.state = State::failed;
  outcome.reason = reason;
  outcome.exception = std::move(exception);
  return outcome;
}

// A server's engine that can be killed and started again over the same memory.
class ConductorTest : public testing::Test {
 protected:
  struct Life {
    explicit Life(std::shared_ptr<catalog::Memory> memory) : catalog(catalog::FakeCatalog::Mode::immediate, std::move(memory)) {}
    ~Life() { threads.stop(); }
    IoThreads threads{2};  // first: what has timers on them goes before they do
    catalog::FakeCatalog catalog;
    FakeRunner runner;
    BlockingPool pool{1};
    std::shared_ptr<Conductor> conductor;
  };

  ConductorTest() { start(); }

  void start() {
    life = std::make_unique<Life>(memory);
    ConductorPorts ports{.executor = life->threads.executor(),
                         .clock = clock,
                         .catalog = &life->catalog,
                         .runner = &life->runner,
                         .pool = &life->pool,
                         .outside = [this](std::string_view, const json::object&) { return outside; },
                         .claim = [this](const json::object&) { return whole.load(); },
                         .settle = [this](json::object) { ++settled; }};
    life->conductor = Conductor::make(std::move(ports), {.cpu_capacity = 4});
    ASSERT_TRUE(life->conductor->recover());
  }

  void kill_and_restart() {
    life.reset();
    start();
  }

  template <class T, class Start>
  static T wait(Start start) {
    std::promise<T> promise;
    start(Callback<T>([&](T value) { promise.set_value(std::move(value)); }));
    return promise.get_future().get();
  }

  Result<std::vector<Accepted>> submit(std::vector<std::string> names, std::vector<std::string> inputs = {},
                                       json::object request = {}) {
    Submission submission;
    for (auto& name : names)
      submission.steps.push_back({.name = name, .service = "function/python", .request = request, .labels = {}});
    for (auto& input : inputs) submission.mentions.push_back({.text = input, .pointer = "/functionParameters"});
    return wait<Result<std::vector<Accepted>>>(
        [&](auto done) { life->conductor->submit(std::move(submission), std::move(done)); });
  }

  Result<Accepted> revise(std::string name, Revise::Kind kind, std::string operation = "function/python",
                          std::vector<Mention> mentions = {}) {
    Revise revision{.name = std::move(name),
                    .kind = kind,
                    .operation = std::move(operation),
                    .request = {{"changed", true}},
                    .mentions = std::move(mentions)};
    return wait<Result<Accepted>>([&](auto done) { life->conductor->revise(std::move(revision), std::move(done)); });
  }

  Status cancel(const std::string& name) {
    return wait<Status>([&](auto done) { life->conductor->cancel(name, std::move(done)); });
  }

  Result<Removed> remove(const std::string& name, bool cascade = false) {
    return wait<Result<Removed>>(
        [&](auto done) { life->conductor->remove(name, "function/python", cascade, std::move(done)); });
  }

  // Everything handed to the strand before this has been done.
  void settle_down() {
    for (int i = 0; i < 3; ++i) {
      wait<bool>([&](auto done) { life->pool.post([done = std::move(done)]() mutable { done(true); }); });
      wait<Conductor::Load>([&](auto done) { life->conductor->load(std::move(done)); });
    }
  }

  catalog::Revision newest(const std::string& name) {
    settle_down();
    auto step = life->catalog.find_step(name);
    return life->catalog.revisions((*step)->id)->back();
  }

  std::shared_ptr<Clock> clock = std::make_shared<SystemClock>();
  std::shared_ptr<catalog::Memory> memory = catalog::make_memory();
  std::atomic<int> settled = 0;
  std::atomic<bool> whole = true;       // what is on record is there
  std::optional<std::string> outside;  // what URLs say; set while nothing runs
  std::unique_ptr<Life> life;
};

}  // namespace lo::engine
