#include "base/async.h"

#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <set>
#include <thread>

#include "base/named_thread.h"

namespace lo {
namespace {

using ::testing::ElementsAre;

// Runs a coroutine to its end on this thread. `io` outlives whoever calls back: a post() may still be waking it when the
// coroutine has already ended.
template <class T>
T run(asio::io_context& io, Awaitable<T> coroutine) {
  auto future = asio::co_spawn(io, std::move(coroutine), asio::use_future);
  io.run();
  return future.get();
}

TEST(AwaitCallbackTest, GivesWhatTheCallbackGotAtOnce) {
  asio::io_context io;
  auto coroutine = []() -> Awaitable<int> {
    co_return co_await await_callback<int>([](Callback<int> done) { done(7); });
  };
  EXPECT_EQ(run(io, coroutine()), 7);
}

TEST(AwaitCallbackTest, GoesOnOnItsOwnThreadWhoeverCalls) {
  asio::io_context io;
  auto coroutine = []() -> Awaitable<bool> {
    auto mine = std::this_thread::get_id();
    std::vector<std::unique_ptr<NamedThread>> threads;
    bool stayed = true;
    for (int i = 0; i < 50; ++i) {
      auto got = co_await await_callback<int>([&threads, i](Callback<int> done) {
        threads.push_back(std::make_unique<NamedThread>("caller", [i, done = std::move(done)]() mutable { done(i); }));
      });
      stayed = stayed && got == i && std::this_thread::get_id() == mine;
    }
    co_return stayed;
  };
  EXPECT_TRUE(run(io, coroutine()));
}

TEST(AwaitCallbackTest, CarriesErrorsAndWhatCanOnlyBeMoved) {
  asio::io_context io;
  auto coroutine = []() -> Awaitable<std::string> {
    auto failed = co_await await_callback<Result<int>>([](auto done) { done(fail(Code::timeout, "late")); });
    auto owner = std::make_unique<std::string>("argument");
    auto start = [owner = std::move(owner)](auto done) mutable { done(std::move(owner)); };
    auto moved = co_await await_callback<std::unique_ptr<std::string>>(start);
    co_return failed.error().message + " " + *moved;
  };
  EXPECT_EQ(run(io, coroutine()), "late argument");
}

TEST(AwaitCallbackTest, TakesOnlyWhatTheCompilerDestroysOnce) {
  auto owning = [text = std::string("x")] { return text; };
  auto borrowing = [&owning] { return owning(); };
  EXPECT_FALSE(SafeToAwait<decltype(owning)>);
  EXPECT_TRUE(SafeToAwait<decltype(owning)&>);
  EXPECT_TRUE(SafeToAwait<decltype(borrowing)>);
}

TEST(AwaitCallbackTest, StaysOnItsStrand) {
  asio::io_context io;
  auto strand = asio::make_strand(asio::any_io_executor(io.get_executor()));
  BlockingPool pool(4);
  int unguarded = 0;  // the strand alone keeps this right
  auto coroutine = [&]() -> Awaitable<void> {
    for (int i = 0; i < 100; ++i) {
      auto value = co_await pool.run([] { return 1; });
      unguarded += value;
    }
  };
  for (int i = 0; i < 8; ++i) asio::co_spawn(strand, coroutine(), asio::detached);
  {
    NamedThread one("io", [&] { io.run(); });
    NamedThread two("io", [&] { io.run(); });
  }
  EXPECT_EQ(unguarded, 800);
}

TEST(AwaitCallbackTest, CallbackThatIsDroppedFreesWhoWaitsForIt) {
  auto tracked = std::make_shared<int>(0);
  std::optional<Callback<int>> kept;
  {
    asio::io_context io;
    auto coroutine = [](std::shared_ptr<int> held, std::optional<Callback<int>>& out) -> Awaitable<void> {
      *held = co_await await_callback<int>([&out](Callback<int> done) { out.emplace(std::move(done)); });
    };
    asio::co_spawn(io, coroutine(tracked, kept), asio::detached);
    io.poll();
    EXPECT_EQ(tracked.use_count(), 2);
    kept.reset();
    EXPECT_EQ(tracked.use_count(), 2);  // freed on its own executor, not by whoever drops the callback
    io.restart();
    io.poll();
    EXPECT_EQ(tracked.use_count(), 1);
  }
}

TEST(BlockingPoolTest, DoesWorkOnItsOwnThreads) {
  asio::io_context io;
  BlockingPool pool(2);
  auto coroutine = [&]() -> Awaitable<bool> {
    auto there = co_await pool.run([] { return std::this_thread::get_id(); });
    co_return there != std::this_thread::get_id();
  };
  EXPECT_TRUE(run(io, coroutine()));
}

TEST(BlockingPoolTest, RunsAsManyAtOnceAsItHasThreads) {
  constexpr int kThreads = 3;
  BlockingPool pool(kThreads);
  std::atomic<int> inside = 0;
  std::promise<void> all_inside;
  std::shared_future<void> together = all_inside.get_future().share();
  std::vector<std::promise<void>> ended(kThreads);
  for (auto& end : ended)
    pool.post([&, together] {
      if (++inside == kThreads) all_inside.set_value();
      together.wait();  // would never end with fewer threads
      end.set_value();
    });
  for (auto& end : ended) end.get_future().get();
  EXPECT_EQ(inside, kThreads);
}

TEST(BlockingPoolTest, DestructorFinishesWhatWasPosted) {
  std::atomic<int> done = 0;
  {
    BlockingPool pool(2);
    for (int i = 0; i < 100; ++i) pool.post([&] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

TEST(BlockingPoolTest, TakesWorkThatCanOnlyBeMoved) {
  asio::io_context io;
  BlockingPool pool(1);
  auto coroutine = [&]() -> Awaitable<int> {
    auto owner = std::make_unique<int>(5);
    auto work = [owner = std::move(owner)] { return *owner; };
    co_return co_await pool.run(work);
  };
  EXPECT_EQ(run(io, coroutine()), 5);
}

}  // namespace
}  // namespace lo
