#include "run/shared_workers.h"

#include <algorithm>
#include <thread>

#include "base/id.h"
#include "base/log.h"

namespace lo::run {
namespace {

std::size_t most_idle() { return std::max(2U, std::thread::hardware_concurrency()); }

}  // namespace

// A job's hold on a shared process.
class SharedProcess final : public JobProcess {
 public:
  SharedProcess(std::shared_ptr<SharedWorkers> workers, SharedKey key, std::filesystem::path python, ProcessHandlers handlers)
      : workers_(std::move(workers)), key_(std::move(key)), python_(std::move(python)), handlers_(std::move(handlers)) {
    handlers_.exited = [this, then = std::move(handlers_.exited)](JobEnd end) {
      started_ = worker_->started() && !worker_->left_job_unread();
      worker_.reset();  // it may be another job's by now
      then(std::move(end));
    };
    handlers_.gone = [open = open_, then = std::move(handlers_.gone)] {
      if (*open) then();
    };
  }

  void launch(json::object work, UniqueFd output) override {
    worker_ = workers_->take(key_, python_);
    worker_->run(std::move(work), std::move(output), std::exchange(handlers_, {}));
  }
  bool take_back() override { return worker_ && worker_->take_back(); }
  void stop(std::chrono::milliseconds grace) override {
    if (worker_) worker_->stop(grace);
  }
  void stop_member(const std::string&) override {}  // it has one member: the whole is stopped
  void kill() override {
    if (worker_) worker_->kill();
  }
  void close() override {
    if (worker_) worker_->forget_job();
    worker_.reset();
    handlers_ = {};
    *open_ = false;
  }
  bool started() const override { return worker_ ? worker_->started() : started_; }
  pid_t keeper() const override { return worker_ ? worker_->keeper() : 0; }
  JobCgroup group() const override { return worker_ ? worker_->group() : JobCgroup(); }

 private:
  const std::shared_ptr<bool> open_ = std::make_shared<bool>(true);  // close() has not been called, also while a handler runs
  const std::shared_ptr<SharedWorkers> workers_;
  const SharedKey key_;
  const std::filesystem::path python_;
  ProcessHandlers handlers_;
  std::shared_ptr<SharedWorker> worker_;
  bool started_ = false;
};

SharedWorkers::SharedWorkers(std::shared_ptr<RunContext> context, std::shared_ptr<ForkServers> servers)
    : context_(std::move(context)), servers_(std::move(servers)) {}

std::shared_ptr<JobProcess> SharedWorkers::process(SharedKey key, std::filesystem::path python, ProcessHandlers handlers) {
  return std::make_shared<SharedProcess>(shared_from_this(), std::move(key), std::move(python), std::move(handlers));
}

// The one that was used last has its pages in the caches.
std::shared_ptr<SharedWorker> SharedWorkers::take(const SharedKey& key, const std::filesystem::path& python) {
  auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const auto& token) { return entries_.at(token).key == key; });
  if (found == idle_.rend()) return make(key, python);
  auto& entry = entries_.at(*found);
  idle_.erase(std::next(found).base());
  entry.idle = false;
  entry.patience.cancel();
  return entry.worker;
}

std::shared_ptr<SharedWorker> SharedWorkers::make(const SharedKey& key, const std::filesystem::path& python) {
  auto token = make_token();
  auto& entry = entries_.try_emplace(token, key, context_->strand).first->second;
  auto weak = weak_from_this();
  entry.worker = std::make_shared<SharedWorker>(
      context_, servers_->acquire(key.kind, key.environment, python),
      SharedWorker::Options{.token = token,
                            .memory_bytes = key.memory_bytes,
                            .idle =
                                [weak, token] {
                                  if (auto self = weak.lock()) self->became_idle(token);
                                },
                            .ended =
                                [weak, token] {
                                  if (auto self = weak.lock()) self->let_go(token);
                                },
                            .gone =
                                [weak, token] {
                                  if (auto self = weak.lock()) self->gone(token);
                                }});
  entry.worker->begin();
  return entry.worker;
}

void SharedWorkers::became_idle(const std::string& token) {
  auto& entry = entries_.at(token);
  entry.idle = true;
  idle_.push_back(token);
  entry.patience.expires_after(context_->options.python.idle);
  entry.patience.async_wait([weak = weak_from_this(), token](auto error) {
    auto self = weak.lock();
    if (!self || error || !self->entries_.contains(token) || !self->entries_.at(token).idle) return;
    auto worker = self->entries_.at(token).worker;
    self->let_go(token);
    worker->dismiss();
  });
  keep_few();
}

void SharedWorkers::keep_few() {
  if (idle_.size() <= most_idle()) return;
  auto token = idle_.front();
  auto worker = entries_.at(token).worker;
  let_go(token);
  worker->dismiss();
}

// No job gets it any more.
void SharedWorkers::let_go(const std::string& token) {
  auto& entry = entries_.at(token);
  entry.patience.cancel();
  entry.idle = false;
  std::erase(idle_, token);
}

void SharedWorkers::gone(const std::string& token) {
  auto entry = entries_.extract(token);
  servers_->release(entry.mapped().key.kind, entry.mapped().key.environment);
  if (entries_.empty() && stopped_) std::exchange(stopped_, nullptr)();
}

std::set<pid_t> SharedWorkers::keepers() const {
  std::set<pid_t> all;
  for (const auto& [token, entry] : entries_) all.insert(entry.worker->keeper());
  return all;
}

bool SharedWorkers::is_starting() const {
  return std::ranges::any_of(entries_, [](const auto& entry) { return entry.second.worker->is_starting(); });
}

void SharedWorkers::stop(std::function<void()> done) {
  if (entries_.empty()) return done();
  stopped_ = std::move(done);
  for (const auto& [token, entry] : entries_) entry.worker->stop(std::chrono::milliseconds{0});
}

}  // namespace lo::run
