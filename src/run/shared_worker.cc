#include "run/shared_worker.h"

#include <utility>

#include "base/log.h"
#include "run/group_removal.h"
#include "run/job_files.h"

namespace lo::run {

SharedWorker::SharedWorker(std::shared_ptr<RunContext> context, std::shared_ptr<ForkServer> server, Options options)
    : context_(std::move(context)), server_(std::move(server)), options_(std::move(options)) {}

void SharedWorker::begin() {
  if (auto status = launch(); !status) refuse(status.error().message);
}

Status SharedWorker::launch() {
  LO_ASSIGN(auto keeper_pair, make_packet_pair());
  LO_ASSIGN(auto lane_pair, make_packet_pair());
  Launch launch{.token = options_.token,
                .message = {{"v", 1},
                            {"type", "start"},
                            {"token", options_.token},
                            {"limits", limits_json(options_.memory_bytes, context_->options.max_processes)},
                            {"host", true}},
                .descriptors = {},
                .refused = [weak = weak_from_this()](const std::string& why) {
                  if (auto worker = weak.lock()) worker->refuse(why);
                }};
  launch.descriptors.push_back(std::move(keeper_pair.theirs));
  launch.descriptors.push_back(std::move(lane_pair.theirs));
  auto self = shared_from_this();  // until the link is closed in end()
  link_ = std::make_shared<KeeperLink>(context_, options_.token,
                                       ProcessHandlers{.started = [self] {
                                                         self->server_->answered(self->options_.token);
                                                         if (self->job_) self->job_->handlers.started();
                                                       },
                                                       .progress = [](auto&&...) {},
                                                       .member_ended = [](auto&&...) {},
                                                       .exited = [self](JobEnd end) { self->exited(std::move(end)); },
                                                       .gone = [self] { self->end(self->was_lost_ ? self->link_->group() : JobCgroup()); },
                                                       .refused = {}});
  link_->open(std::move(keeper_pair.ours));
  lane_ = PacketChannel::open(context_->strand, std::move(lane_pair.ours),
                              {.message =
                                   [weak = weak_from_this()](const json::object& message) {
                                     if (auto worker = weak.lock()) worker->on_lane(message);
                                   },
                               .closed = [] {}});  // its keeper tells of its end
  server_->launch(std::move(launch));
  send_job();
  return {};
}

void SharedWorker::run(json::object work, UniqueFd output, ProcessHandlers handlers) {
  if (ended_) return handlers.refused(why_.empty() ? "the shared process has ended" : why_);
  job_ = Job{.work = std::move(work), .output = std::move(output), .handlers = std::move(handlers)};
  send_job();
}

// What is sent before the process reads waits in the socket.
void SharedWorker::send_job() {
  if (!job_ || !lane_ || std::exchange(job_->sent, true)) return;
  job_->work["type"] = "run";
  std::vector<UniqueFd> descriptors;
  descriptors.push_back(std::move(job_->output));
  lane_->send(job_->work, std::move(descriptors));
  if (link_->started()) job_->handlers.started();
}

bool SharedWorker::take_back() {
  if (!server_->take_back(options_.token)) return false;
  job_.reset();
  set_ended();
  end({});
  return true;
}

void SharedWorker::stop(std::chrono::milliseconds grace) {
  set_ended();  // also when its job ends by itself meanwhile
  if (link_) link_->stop(grace);
}

void SharedWorker::kill() {
  if (!link_) return;
  link_->group().kill();
  link_->kill();
}

void SharedWorker::dismiss() {
  if (lane_) lane_->close();
}

void SharedWorker::on_lane(const json::object& message) {
  if (!job_) return;
  auto type = string_or(message, "type");
  if (type == "progress") {
    job_->handlers.progress(string_or(message, "member"), object_or_empty(message, "data"));
  } else if (type == "member_ended") {
    job_->handlers.member_ended(member_end_from(message));
  } else if (type == "ended" && string_or(message, "token") == string_or(job_->work, "token")) {
    job_ended(message);
  } else {
    log::warn("run: the shared process {} sent a message of type '{}'", options_.token, type);
  }
}

void SharedWorker::job_ended(const json::object& message) {
  JobEnd end;
  end.exit.status = 0;
  const auto* reusable = message.if_contains("reusable");
  if (reusable == nullptr || *reusable != true) set_ended();  // its keeper ends what the job left
  finish_job(std::move(end));
  if (!ended_) options_.idle();
}

void SharedWorker::finish_job(JobEnd end) {
  if (!job_) return;
  auto handlers = std::exchange(job_, std::nullopt)->handlers;
  handlers.exited(std::move(end));
  handlers.gone();
}

// The last words of the process may still lie in the lane.
void SharedWorker::exited(JobEnd end) {
  server_->answered(options_.token);
  lane_->receive_pending();
  was_lost_ = end.lost;
  if (end.lost) end_lost(end, link_->group());
  if (job_ && lane_->lost_packets()) {
    left_job_unread_ = end.lost = true;
    end.lost_why = "the shared process ended before it had read the step";
  }
  set_ended();
  finish_job(std::move(end));
}

void SharedWorker::refuse(const std::string& why) {
  why_ = why;
  set_ended();
  if (auto job = std::exchange(job_, std::nullopt)) job->handlers.refused(why);
  end({});
}

void SharedWorker::set_ended() {
  if (!std::exchange(ended_, true)) options_.ended();
}

// `left`: the group of a keeper that could not remove it.
void SharedWorker::end(JobCgroup left) {
  if (lane_) lane_->close();
  if (link_) link_->close();
  remove_with_group(context_, nullptr, std::move(left), [self = shared_from_this()] {
    if (auto gone = std::exchange(self->options_.gone, nullptr)) gone();
  });
}

}  // namespace lo::run
