#include "run/fork_server.h"

#include <csignal>
#include <fmt/format.h>

#include "base/log.h"

namespace lo::run {
namespace {

constexpr int kControlDescriptor = 3;
constexpr std::chrono::seconds kAnswerTime{20};  // forking takes milliseconds, on a machine that swaps a second

}  // namespace

ForkServer::ForkServer(std::shared_ptr<RunContext> context, Options options)
    : context_(std::move(context)),
      options_(std::move(options)),
      lifecycle_(options_.lifecycle),
      timer_(context_->strand),
      answer_(context_->strand) {
  publish();
}

void ForkServer::warm() {
  if (!stopping_ && lifecycle_.wanted(context_->clock.steady())) start();
}

void ForkServer::launch(Launch launch) {
  if (stopping_) return launch.refused("the server is stopping");
  warm();
  if (channel_ && channel_->is_peer_gone()) closed();
  if (lifecycle_.phase() == Phase::warm && channel_) return send(std::move(launch));
  if (lifecycle_.phase() == Phase::broken)
    return launch.refused(fmt::format("the {} fork server does not start: see logs/fork-server-{}.log", kind(), kind()));
  waiting_.push_back(std::move(launch));
}

bool ForkServer::take_back(const std::string& token) {
  return std::erase_if(waiting_, [&](const Launch& launch) { return launch.token == token; }) > 0;
}

void ForkServer::stop(std::function<void()> done) {
  stopping_ = true;
  timer_.cancel();
  answer_.cancel();
  refuse_all("the server is stopping");
  if (pid_ == 0) return done();
  stopped_ = std::move(done);
  context_->reaper->kill(pid_, SIGKILL);  // it holds nothing that could be lost
}

void ForkServer::start() {
  publish();
  auto pair = make_packet_pair();
  if (!pair) return after_end(pair.error().message);
  auto command = options_.command;
  command.descriptors = {{pair->theirs.get(), kControlDescriptor}};
  // The reaper tells of the end on the strand, later than this function: pid_ is set by then.
  auto pid = context_->reaper->spawn(command, [weak = weak_from_this()](ExitStatus exit) {
    if (auto self = weak.lock()) self->on_exit(exit);
  });
  if (!pid) return after_end(pid.error().message);
  pid_ = *pid;
  channel_ = PacketChannel::open(context_->strand, std::move(pair->ours),
                                 {.message =
                                      [weak = weak_from_this()](const json::object& message) {
                                        if (auto self = weak.lock()) self->on_message(message);
                                      },
                                  .closed =
                                      [weak = weak_from_this()] {
                                        if (auto self = weak.lock()) self->closed();
                                      }});
  timer_.expires_after(options_.start_timeout);
  timer_.async_wait([weak = weak_from_this()](auto error) {
    if (auto self = weak.lock(); self && !error && self->lifecycle_.phase() == Phase::starting) self->kill_hung();
  });
  publish();
}

void ForkServer::on_message(const json::object& message) {
  auto type = string_or(message, "type");
  if (type == "ready") return became_ready(message);
  if (type == "refused") return refused(message);
  log::warn("run: the {} fork server sent a message of unknown type '{}'", kind(), type);
}

void ForkServer::became_ready(const json::object& message) {
  if (lifecycle_.phase() != Phase::starting) return;
  timer_.cancel();
  lifecycle_.ready(context_->clock.steady());
  publish();
  log::info("run: the {} fork server (pid {}) is ready: {}", kind(), pid_, json::serialize(message));
  auto waiting = std::exchange(waiting_, {});
  for (auto& launch : waiting) send(std::move(launch));
}

void ForkServer::refused(const json::object& message) {
  auto found = sent_.find(string_or(message, "token"));
  if (found == sent_.end()) return;
  auto handler = std::move(found->second);
  answered(std::string(found->first));
  handler(string_or(message, "why", "the fork server cannot fork"));
}

void ForkServer::send(Launch launch) {
  if (sent_.empty()) await_answer();
  sent_[launch.token] = std::move(launch.refused);
  channel_->send(launch.message, std::move(launch.descriptors));
}

void ForkServer::answered(const std::string& token) {
  if (sent_.erase(token) == 0) return;
  answer_.cancel();
  if (!sent_.empty()) await_answer();
}

void ForkServer::await_answer() {
  answer_.expires_after(kAnswerTime);
  answer_.async_wait([weak = weak_from_this()](auto error) {
    if (auto self = weak.lock(); self && !error && !self->sent_.empty()) self->kill_hung();
  });
}

// It is dead already, or of no use. What comes now waits for the one after it.
void ForkServer::closed() {
  if (channel_) channel_->close();
  channel_.reset();
  context_->reaper->kill(pid_, SIGKILL);
}

// It did not become ready in time, or left a launch unanswered. It must not stay beside the one that takes its place.
void ForkServer::kill_hung() {
  log::warn("run: the {} fork server (pid {}) does not answer and is killed", kind(), pid_);
  context_->reaper->kill(pid_, SIGKILL);
}

void ForkServer::on_exit(ExitStatus exit) {
  if (channel_) channel_->close();
  channel_.reset();
  auto pid = std::exchange(pid_, 0);
  sent_.clear();  // the keepers that it did not fork show in their sockets
  answer_.cancel();
  if (stopping_) {
    lifecycle_.stopped();
    publish();
    if (stopped_) std::exchange(stopped_, nullptr)();
    return;
  }
  after_end(fmt::format("pid {} ended: {}", pid, describe(exit)));
  if (options_.died) options_.died();
}

void ForkServer::after_end(const std::string& how) {
  auto delay = lifecycle_.ended(context_->clock.steady());
  log::warn("run: the {} fork server is {}: {}", kind(), to_string(lifecycle_.phase()), how);
  publish();
  if (!delay) return refuse_all(fmt::format("the {} fork server does not start ({}): see logs/fork-server-{}.log", kind(), how, kind()));
  timer_.expires_after(*delay);
  timer_.async_wait([weak = weak_from_this()](auto error) {
    if (auto self = weak.lock(); self && !error && self->lifecycle_.due()) self->start();
  });
}

void ForkServer::refuse_all(const std::string& why) {
  auto waiting = std::exchange(waiting_, {});
  for (auto& launch : waiting) launch.refused(why);
}

void ForkServer::publish() { context_->board.set(kind(), lifecycle_.phase(), pid_); }

}  // namespace lo::run
