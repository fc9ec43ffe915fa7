#include "api/profiles.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <latch>
#include <optional>

#include "dataset/test_util.h"

namespace lo::api {
namespace {

using Made = Result<std::shared_ptr<const json::object>>;

class ProfilesTest : public dataset::FolderTest {
 protected:
  // Asks; what is made is in the order of asking after run().
  void ask(std::vector<std::string> fields = {}, asio::cancellation_slot slot = {}) {
    auto at = made_.size();
    made_.emplace_back();
    auto asking = [this, at, fields = std::move(fields)]() -> Awaitable<void> { made_[at] = co_await profiles_.of(table_, fields); };
    asio::co_spawn(context_, std::move(asking), asio::bind_cancellation_slot(slot, [](std::exception_ptr) {}));
    context_.poll();
  }

  // Lets the pool begin, and waits for all.
  void run() {
    go_on_.count_down();
    context_.run();
  }

  json::object const* at(std::size_t i) { return made_.at(i).value().value().get(); }

  asio::io_context context_;
  std::filesystem::path table_ = table("a,b\n1,x\n2,y\n");
  std::latch go_on_{1};
  BlockingPool pool_{1};
  Profiles profiles_{pool_, std::size_t{1} << 20};
  std::vector<std::optional<Made>> made_;

  void SetUp() override {
    made_.reserve(10);
    pool_.post([this] { go_on_.wait(); });  // nothing is made before run()
  }
};

TEST_F(ProfilesTest, ManyWhoAskAtOnceGetTheSameOne) {
  ask();
  ask();
  ask({"a"});
  run();
  EXPECT_EQ(at(0), at(1));
  EXPECT_NE(at(0), at(2));
  EXPECT_EQ(at(0)->at("fields").as_array().size(), 2);
  EXPECT_EQ(at(2)->at("fields").as_array().size(), 1);
}

TEST_F(ProfilesTest, WhoAsksForWhatIsMadeGetsItAnew) {
  ask();
  run();
  context_.restart();
  ask();
  context_.run();
  EXPECT_EQ(*at(0), *at(1));
}

TEST_F(ProfilesTest, WhatNobodyWaitsForIsStopped) {
  asio::cancellation_signal one, other;
  ask({}, one.slot());
  ask({}, other.slot());
  one.emit(asio::cancellation_type::terminal);
  other.emit(asio::cancellation_type::terminal);
  ask();
  run();
  EXPECT_EQ(made_[0].value().error().code, Code::cancelled);
  EXPECT_EQ(made_[1].value().error().code, Code::cancelled);
  EXPECT_EQ(at(2)->at("rows"), 2) << "who asks afterwards gets one of its own";
}

TEST_F(ProfilesTest, WhatSomebodyWaitsForIsNotStopped) {
  asio::cancellation_signal one;
  ask({}, one.slot());
  ask();
  one.emit(asio::cancellation_type::terminal);
  run();
  EXPECT_EQ(at(1)->at("rows"), 2);
}

TEST_F(ProfilesTest, AfterTheCloseNothingIsMade) {
  ask();
  profiles_.close();
  ask({"a"});
  run();
  EXPECT_EQ(made_[0].value().error().code, Code::cancelled);
  EXPECT_EQ(made_[1].value().error().code, Code::cancelled);
}

TEST_F(ProfilesTest, ErrorsAreEverybodys) {
  ask({"c"});
  ask({"c"});
  run();
  EXPECT_EQ(made_[0].value().error().code, Code::unacceptable);
  EXPECT_EQ(made_[1].value().error().code, Code::unacceptable);
}

}  // namespace
}  // namespace lo::api
