// A Spark Connect server of somebody else's (sc://HOST:PORT). It is looked at from time to time, so that /ready tells whether it can be reached.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "run/lifecycle.h"
#include "run/run_context.h"
#include "run/spark.h"

namespace lo::run {

// Lives on the strand.
class SparkEndpoint final : public Spark, public std::enable_shared_from_this<SparkEndpoint> {
 public:
  explicit SparkEndpoint(std::shared_ptr<RunContext> context);

  void watch();

  // Fails at once while it cannot be reached.
  void acquire(Acquired acquired) override;
  void release() override {}
  bool is_up() const override { return !stopping_; }
  void stop(std::function<void()> done) override;

 private:
  void look();
  void resolved(boost::system::error_code error, asio::ip::tcp::resolver::results_type found);
  void seen(boost::system::error_code error);
  void become(Phase phase);

  const std::shared_ptr<RunContext> context_;
  asio::ip::tcp::resolver resolver_;
  std::unique_ptr<asio::ip::tcp::socket> probe_;
  asio::steady_timer patience_;  // with one look
  asio::steady_timer next_;
  Phase phase_ = Phase::cold;
  int failures_ = 0;             // looks in a row
  std::string why_;              // of the last failure
  bool stopping_ = false;
};

}  // namespace lo::run
