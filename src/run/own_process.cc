#include "run/own_process.h"

#include <utility>

namespace lo::run {
namespace {

// A fork server is asked until something is heard of the job.
ProcessHandlers answering(ProcessHandlers handlers, const std::shared_ptr<ForkServer>& server, const std::string& token) {
  handlers.started = [server, token, then = std::move(handlers.started)] {
    server->answered(token);
    then();
  };
  handlers.exited = [server, token, then = std::move(handlers.exited)](JobEnd end) {
    server->answered(token);
    then(std::move(end));
  };
  return handlers;
}

}  // namespace

OwnProcess::OwnProcess(std::shared_ptr<RunContext> context, std::shared_ptr<ForkServer> server, std::string token, ProcessHandlers handlers)
    : context_(std::move(context)), server_(std::move(server)), token_(std::move(token)), handlers_(std::move(handlers)) {}

void OwnProcess::launch(json::object work, UniqueFd output) {
  auto handlers = *std::exchange(handlers_, std::nullopt);
  auto refused = handlers.refused;
  auto pair = make_packet_pair();
  if (!pair) return refused(pair.error().message);
  link_ = std::make_shared<KeeperLink>(context_, token_, answering(std::move(handlers), server_, token_));
  link_->open(std::move(pair->ours));
  work["v"] = 1;
  work["type"] = "start";
  Launch launch{.token = token_, .message = std::move(work), .descriptors = {}, .refused = {}};
  launch.descriptors.push_back(std::move(pair->theirs));
  launch.descriptors.push_back(std::move(output));
  launch.refused = [weak = weak_from_this(), refused](const std::string& why) {
    if (auto self = weak.lock()) refused(why);
  };
  server_->launch(std::move(launch));
}

void OwnProcess::close() {
  handlers_.reset();
  if (link_) link_->close();
}

}  // namespace lo::run
