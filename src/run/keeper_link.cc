#include "run/keeper_link.h"

#include "base/log.h"
#include "run/process_table.h"

namespace lo::run {
namespace {

pid_t pid_in(const json::object& message, std::string_view key) {
  const auto* value = message.if_contains(key);
  return value != nullptr && value->is_int64() ? static_cast<pid_t>(value->get_int64()) : 0;
}

std::vector<std::filesystem::path> folders_in(const json::object& message) {
  std::vector<std::filesystem::path> folders;
  const auto* value = message.if_contains("cgroup");
  if (value == nullptr || !value->is_array()) return folders;
  for (const auto& each : value->get_array())
    if (const auto* text = each.if_string()) folders.emplace_back(std::string_view(*text));
  return folders;
}

}  // namespace

KeeperLink::KeeperLink(std::shared_ptr<RunContext> context, std::string token, ProcessHandlers handlers)
    : context_(std::move(context)), token_(std::move(token)), handlers_(std::make_shared<ProcessHandlers>(std::move(handlers))) {}

void KeeperLink::open(UniqueFd socket) {
  channel_ = PacketChannel::open(context_->strand, std::move(socket),
                                 {.message = [self = shared_from_this()](const json::object& message) { self->on_message(message); },
                                  .closed = [self = shared_from_this()] { self->on_closed(); }});
}

void KeeperLink::stop(std::chrono::milliseconds grace) {
  channel_->send({{"type", "stop"}, {"grace", static_cast<double>(grace.count()) / 1000}});
}

void KeeperLink::stop_member(const std::string& member) { channel_->send({{"type", "stop_member"}, {"member", member}}); }

// While its socket is open the keeper lives, so that its number is still its own.
void KeeperLink::kill() {
  if (keeper() != 0) kill_tree(keeper_);
}

void KeeperLink::close() {
  if (channel_) channel_->close();
  handlers_.reset();
}

void KeeperLink::on_message(const json::object& message) {
  auto handlers = handlers_;  // close() may be called inside
  if (!handlers) return;
  auto type = string_or(message, "type");
  if (type == "started") {
    keeper_ = pid_in(message, "keeper");
    group_ = JobCgroup(folders_in(message));
    handlers->started();
  } else if (type == "progress") {
    handlers->progress(string_or(message, "member"), object_or_empty(message, "data"));
  } else if (type == "member_ended") {
    handlers->member_ended(member_end_from(message));
  } else if (type == "exited" && !exited_) {
    exited_ = true;
    handlers->exited(job_end_from(message));
  } else {
    log::warn("run: the keeper of {} sent a message of type '{}'", token_, type);
  }
}

void KeeperLink::on_closed() {
  auto handlers = handlers_;  // close() may be called inside
  gone_ = true;
  if (!std::exchange(exited_, true)) {
    JobEnd end;
    end.lost = true;
    end.lost_why = started() ? "the process that kept the step vanished (killed from outside)"
                             : "the fork server died before it had started the step";
    if (handlers) handlers->exited(std::move(end));
  }
  if (handlers_) handlers->gone();
}

}  // namespace lo::run
