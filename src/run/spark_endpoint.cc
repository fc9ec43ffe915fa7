#include "run/spark_endpoint.h"

#include <boost/asio/connect.hpp>
#include <fmt/format.h>

#include "base/id.h"
#include "base/log.h"

namespace lo::run {
namespace {

using asio::ip::tcp;

constexpr const char* kBoard = "spark-server";
constexpr const char* kPort = "15002";  // of Spark Connect, where a URL has none
constexpr std::chrono::seconds kPatience{5};
constexpr int kMostFailures = 3;  // until it counts as broken

// "sc://[::1]:15002" is host ::1 and port 15002.
std::pair<std::string, std::string> host_and_port(const SparkPlace& place) {
  auto shown = place.shown().substr(std::string_view("sc://").size());
  auto colon = shown.rfind(':');
  bool has_port = colon != std::string::npos && !shown.ends_with(']');
  auto host = has_port ? shown.substr(0, colon) : shown;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return {host, has_port ? shown.substr(colon + 1) : kPort};
}

}  // namespace

SparkEndpoint::SparkEndpoint(std::shared_ptr<RunContext> context)
    : context_(std::move(context)), resolver_(context_->strand), patience_(context_->strand), next_(context_->strand) {}

void SparkEndpoint::watch() {
  become(Phase::warm);  // the server has not started without it
  look();
}

void SparkEndpoint::acquire(Acquired acquired) {
  const auto& place = context_->options.spark.place;
  if (stopping_) return acquired(fail(Code::unavailable, "the server is stopping"));
  if (phase_ == Phase::broken) return acquired(fail(Code::unavailable, fmt::format("{} cannot be reached: {}", place.name(), why_)));
  acquired(SparkTarget{.url = place.url, .token = place.token, .session = make_uuid(), .name = place.name(), .outlives_us = true});
}

void SparkEndpoint::look() {
  auto [host, port] = host_and_port(context_->options.spark.place);
  patience_.expires_after(kPatience);
  patience_.async_wait([weak = weak_from_this()](auto error) {
    auto self = weak.lock();
    if (!self || error) return;
    self->resolver_.cancel();
    if (self->probe_) self->probe_->close(error);
  });
  resolver_.async_resolve(host, port, [weak = weak_from_this()](auto error, auto found) {
    if (auto self = weak.lock()) self->resolved(error, std::move(found));
  });
}

void SparkEndpoint::resolved(boost::system::error_code error, tcp::resolver::results_type found) {
  if (error || stopping_) return seen(error);
  probe_ = std::make_unique<tcp::socket>(context_->strand);
  asio::async_connect(*probe_, found, [weak = weak_from_this()](auto failed, const auto&) {
    if (auto self = weak.lock()) self->seen(failed);
  });
}

void SparkEndpoint::seen(boost::system::error_code error) {
  patience_.cancel();
  probe_.reset();
  if (stopping_) return;
  failures_ = error ? failures_ + 1 : 0;
  why_ = error == asio::error::operation_aborted ? "it does not answer" : error.message();
  become(failures_ == 0 ? Phase::warm : failures_ < kMostFailures ? Phase::restarting : Phase::broken);
  next_.expires_after(context_->options.spark.look_interval);
  next_.async_wait([weak = weak_from_this()](auto cancelled) {
    if (auto self = weak.lock(); self && !cancelled) self->look();
  });
}

void SparkEndpoint::become(Phase phase) {
  if (phase == phase_) return;
  if (phase == Phase::broken) log::warn("run: {} cannot be reached: {}", context_->options.spark.place.name(), why_);
  if (phase_ == Phase::broken) log::info("run: {} can be reached again", context_->options.spark.place.name());
  phase_ = phase;
  context_->board.set(kBoard, phase, 0);
}

void SparkEndpoint::stop(std::function<void()> done) {
  stopping_ = true;
  next_.cancel();
  patience_.cancel();
  resolver_.cancel();
  probe_.reset();
  done();
}

}  // namespace lo::run
