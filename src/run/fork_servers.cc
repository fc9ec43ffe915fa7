#include "run/fork_servers.h"

#include <fmt/format.h>
#include <utility>

#include "base/log.h"
#include "run/environment.h"

namespace lo::run {
namespace {

constexpr std::size_t kShownDigits = 12;

std::string name_of(WorkerKind kind, const std::string& environment) {
  if (environment.empty()) return std::string(to_string(kind));
  return fmt::format("{}-{}", to_string(kind), environment.substr(0, kShownDigits));
}

}  // namespace

ForkServers::ForkServers(std::shared_ptr<RunContext> context, std::function<void()> died)
    : context_(std::move(context)), died_(std::move(died)) {
  for (auto kind : {WorkerKind::bare, WorkerKind::scientific, WorkerKind::spark, WorkerKind::tensorflow, WorkerKind::sql})
    context_->board.set(name_of(kind, ""), Phase::cold, 0);
}

ForkServers::Entry& ForkServers::entry(const Key& key, const std::filesystem::path& python) {
  if (auto found = entries_.find(key); found != entries_.end()) return found->second;
  auto name = name_of(key.first, key.second);
  ForkServer::Options options{.kind = name,
                              .command = fork_server_command(*context_, key.first, python, name),
                              .start_timeout = context_->options.python.start_timeout,
                              .died = died_};
  return entries_.try_emplace(key, std::make_shared<ForkServer>(context_, std::move(options)), context_->strand).first->second;
}

std::shared_ptr<ForkServer> ForkServers::acquire(WorkerKind kind, const std::string& environment, const std::filesystem::path& python) {
  auto& found = entry({kind, environment}, python);
  ++found.users;
  found.idle.cancel();
  return found.server;
}

void ForkServers::release(WorkerKind kind, const std::string& environment) {
  Key key{kind, environment};
  auto found = entries_.find(key);
  if (found == entries_.end()) return;
  if (--found->second.users > 0 || (kind == WorkerKind::bare && environment.empty())) return;
  found->second.idle.expires_after(context_->options.python.idle);
  found->second.idle.async_wait([weak = weak_from_this(), key](auto error) {
    if (auto self = weak.lock(); self && !error) self->let_go(key);
  });
}

void ForkServers::let_go(const Key& key) {
  auto found = entries_.find(key);
  if (found == entries_.end() || found->second.users > 0) return;
  auto server = std::move(found->second.server);
  entries_.erase(found);
  log::info("run: the {} fork server is idle and is stopped", server->kind());
  server->stop([server, weak = weak_from_this(), key] {
    auto self = weak.lock();
    if (!self || self->entries_.contains(key)) return;  // another one took its place meanwhile, and speaks for itself
    auto& board = self->context_->board;
    key.second.empty() ? board.set(server->kind(), Phase::cold, 0) : board.remove(server->kind());
  });
}

void ForkServers::warm(WorkerKind kind, const std::filesystem::path& python) { entry({kind, ""}, python).server->warm(); }

void ForkServers::stop(std::function<void()> done) {
  auto left = std::make_shared<std::size_t>(entries_.size() + 1);
  auto one = [left, done = std::move(done)] {
    if (--*left == 0) done();
  };
  for (auto& [key, entry] : entries_) {
    entry.idle.cancel();
    entry.server->stop(one);
  }
  one();
}

}  // namespace lo::run
