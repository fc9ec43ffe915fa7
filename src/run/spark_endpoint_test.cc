// What /ready tells of a Spark Connect server that is somebody else's. Whoever listens on its port is taken for one.
#include "run/spark_endpoint.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>

#include "run/testing/runner_fixture.h"

namespace lo::run {
namespace {

using asio::ip::tcp;
using testing::HasSubstr;

class SparkEndpointTest : public RunnerFixture {
 protected:
  void listen(std::uint16_t port) {
    listener_ = std::make_unique<tcp::acceptor>(accepting_, tcp::endpoint(asio::ip::address_v4::loopback(), port));
    port_ = listener_->local_endpoint().port();
  }

  void start_with(const std::string& url) {
    auto chosen = options();
    chosen.spark.place = parse_spark_place(url).value();
    chosen.spark.look_interval = std::chrono::milliseconds{10};
    start_runner(std::move(chosen));
  }

  void wait_for_state(const std::string& state) {
    wait_for_status([&](const json::object& status) {
      return status.contains("spark-server") && string_or(status.at("spark-server").get_object(), "state") == state;
    });
  }

  engine::Outcome run_builder() {
    engine::JobRequest job;
    job.token = make_token();
    job.members.push_back({.key = {1, 1}, .name = "t", .operation = "builder/sparkml", .request = {}});
    return run(std::move(job));
  }

  asio::io_context accepting_;
  std::unique_ptr<tcp::acceptor> listener_;
  std::uint16_t port_ = 0;
};

TEST_F(SparkEndpointTest, TheTruthIsToldOfOneThatGoesAndComesBack) {
  listen(0);
  start_with("sc://127.0.0.1:" + std::to_string(port_) + "/;token=sesame");
  wait_for_state("warm");
  listener_.reset();
  wait_for_state("broken");
  auto outcome = run_builder();
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_THAT(outcome.exception, HasSubstr("the Spark server sc://127.0.0.1:" + std::to_string(port_) + " (--spark) cannot be reached"));
  EXPECT_THAT(outcome.exception, testing::Not(HasSubstr("sesame")));
  listen(port_);
  wait_for_state("warm");
}

TEST_F(SparkEndpointTest, AHostThatNobodyKnowsIsBroken) {
  start_with("sc://nobody.invalid:15002");
  wait_for_state("broken");
}

}  // namespace
}  // namespace lo::run
