#include "run/process_runner.h"

#include <unistd.h>

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/id.h"
#include "base/log.h"
#include "run/environment.h"
#include "run/leftovers.h"
#include "run/own_process.h"
#include "run/process_table.h"

namespace lo::run {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kOrphanDelay{1'500};   // processes that are about to end by themselves may do so
constexpr milliseconds kShutdownGrace{3'000};
constexpr milliseconds kReleaseLimit{30'000};
constexpr milliseconds kRound{10};
constexpr int kMostRounds = 100;

// What the builder and environments keep warm is elsewhere; a process that is idle would keep its memory on a GPU, or a connection to a database.
bool may_share(const engine::JobRequest& job, WorkerKind kind) {
  return kind != WorkerKind::spark && kind != WorkerKind::sql && job.members.front().operation != "environment" && job.gpus.empty();
}

// Hears of a job that nobody asked for.
class Silent final : public engine::JobListener {
 public:
  void progress(const std::string&, engine::RevisionKey, json::object) override {}
  void member_ended(const std::string& token, engine::RevisionKey, engine::Outcome outcome) override {
    if (outcome.state != State::finished) log::warn("run: releasing a Spark session ({}): {}", token, outcome.exception);
  }
  void job_ended(const std::string&) override {}
};

}  // namespace

std::shared_ptr<ProcessRunner> ProcessRunner::make(std::shared_ptr<RunContext> context) {
  auto runner = std::make_shared<ProcessRunner>(std::move(context));
  runner->make_servers();
  return runner;
}

ProcessRunner::ProcessRunner(std::shared_ptr<RunContext> context) : context_(std::move(context)), sweep_(context_->strand) {}

void ProcessRunner::make_servers() {
  const auto& python = context_->options.python;
  servers_ = std::make_shared<ForkServers>(context_, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->sweep_orphans_later();
  });
  shared_ = std::make_shared<SharedWorkers>(context_, servers_);
  for (const auto& [kind, chosen] : {std::pair(WorkerKind::tensorflow, python.tensorflow_python), std::pair(WorkerKind::sql, python.sql_python)}) {
    std::string name(to_string(kind));
    made_[kind] = std::make_shared<PythonEnvironment>(
        context_, PythonEnvironment::Options{.name = name,
                                             .python = chosen,
                                             .set_up = python.home / "orchestra",
                                             .made = python.home / "build" / "environments" / name / "bin" / "python"});
  }
  auto weak = weak_from_this();
  spark_ = std::make_shared<SparkServer>(context_, [weak](const std::string& why) {
    if (auto self = weak.lock()) self->spark_died(why);
  });
}

void ProcessRunner::warm() { servers_->warm(WorkerKind::bare, context_->options.python.python); }

void ProcessRunner::start(engine::JobRequest request, std::shared_ptr<engine::JobListener> listener) {
  WaitingJob job{.request = std::move(request), .listener = std::move(listener)};
  if (stopping_) {
    Verdict verdict{.state = State::failed, .reason = Reason::lost, .exception = "the server is stopping", .lost = true};
    return end_waiting(std::move(job), outcome_of(verdict));
  }
  auto kind = choose_kind(job.request);
  if (!may_share(job.request, kind)) job.request.shared_by.reset();
  if (kind == WorkerKind::spark) return start_spark(std::move(job));
  if (kind == WorkerKind::sql) return start_when_made(std::move(job), kind);  // never where packages of users are: it has a password
  if (auto environment = environment_of(job.request)) return start_in_environment(std::move(job), kind, *environment);
  if (kind == WorkerKind::tensorflow) return start_when_made(std::move(job), kind);
  begin(std::move(job), {.kind = kind, .environment = "", .python = context_->options.python.python}, std::nullopt);
}

void ProcessRunner::start_in_environment(WaitingJob job, WorkerKind kind, const std::string& environment) {
  auto python = context_->environments_folder() / environment / "bin" / "python";
  std::error_code ignored;
  if (!std::filesystem::exists(python, ignored))
    return end_waiting(std::move(job), failed(Reason::error, "the files of its environment are gone: run the environment again"));
  begin(std::move(job), {.kind = kind, .environment = environment, .python = python}, std::nullopt);
}

// Such an environment is made when the first step wants it: who runs none does not wait for it.
void ProcessRunner::start_when_made(WaitingJob job, WorkerKind kind) {
  auto& environment = *made_.at(kind);
  auto token = job.request.token;
  auto listener = job.listener;
  auto key = job.request.members.front().key;
  waiting_.emplace(token, std::move(job));
  environment.acquire([weak = weak_from_this(), token, kind](const Result<std::filesystem::path>& python) {
    if (auto self = weak.lock()) self->environment_answered(token, kind, python);
  });
  if (environment.is_being_made()) listener->progress(token, key, {{"phase", fmt::format("making the environment {}", to_string(kind))}});
}

void ProcessRunner::environment_answered(const std::string& token, WorkerKind kind, const Result<std::filesystem::path>& python) {
  auto found = waiting_.extract(token);
  if (found.empty()) return;  // stopped meanwhile
  if (!python) return end_waiting(std::move(found.mapped()), failed(Reason::error, python.error().message));
  begin(std::move(found.mapped()), {.kind = kind, .environment = "", .python = *python}, std::nullopt);
}

void ProcessRunner::start_spark(WaitingJob job) {
  servers_->warm(WorkerKind::spark, context_->options.python.spark_python);  // beside the JVM, which takes longer
  auto token = job.request.token;
  waiting_.emplace(token, std::move(job));
  spark_->acquire([weak = weak_from_this(), token](Result<SparkTarget> target) {
    if (auto self = weak.lock()) self->spark_answered(token, std::move(target));
  });
}

void ProcessRunner::spark_answered(const std::string& token, Result<SparkTarget> target) {
  auto found = waiting_.extract(token);
  if (found.empty()) {  // stopped meanwhile
    if (target) spark_->release();
    return;
  }
  if (!target) return end_waiting(std::move(found.mapped()), failed(Reason::error, target.error().message));
  begin(std::move(found.mapped()), spark_place(), *std::move(target));
}

ProcessRunner::Place ProcessRunner::spark_place() const {
  return {.kind = WorkerKind::spark, .environment = "", .python = context_->options.python.spark_python};
}

void ProcessRunner::begin(WaitingJob job, const Place& place, std::optional<SparkTarget> target) {
  auto server = servers_->acquire(place.kind, place.environment, place.python);
  context_->board.count_job(server->kind(), 1);
  auto ended = [weak = weak_from_this(), place, helper = server->kind()](ProcessJob& over) {
    if (auto self = weak.lock()) self->job_ended(over, place, helper);
  };
  auto maker = process_maker(job.request, place, server);
  auto process = std::make_shared<ProcessJob>(ProcessJob::Parts{.context = context_,
                                                                .request = std::move(job.request),
                                                                .listener = std::move(job.listener),
                                                                .process = std::move(maker),
                                                                .spark = std::move(target),
                                                                .ended = std::move(ended)});
  jobs_.emplace(process->token(), process);
  process->begin();
}

ProcessMaker ProcessRunner::process_maker(const engine::JobRequest& request, const Place& place, const std::shared_ptr<ForkServer>& server) const {
  if (!request.shared_by)
    return [context = context_, server, token = request.token](ProcessHandlers handlers) -> std::shared_ptr<JobProcess> {
      return std::make_shared<OwnProcess>(context, server, token, std::move(handlers));
    };
  auto memory = request.limits.memory_bytes;
  if (!memory && context_->memory_bytes > 0) memory = context_->memory_bytes;
  SharedKey key{.kind = place.kind, .environment = place.environment, .owner = *request.shared_by, .memory_bytes = memory};
  return [workers = shared_, key = std::move(key), python = place.python](ProcessHandlers handlers) {
    return workers->process(key, python, std::move(handlers));
  };
}

void ProcessRunner::job_ended(ProcessJob& job, const Place& place, const std::string& helper) {
  servers_->release(place.kind, place.environment);
  jobs_.erase(job.token());
  context_->board.count_job(helper, -1);
  if (job.was_lost()) sweep_orphans_later();
  if (job.spark()) {
    bool left_work = !job.ended_by_itself() && job.token() != job.spark()->session && spark_->is_up() && !stopping_;
    if (left_work) release_session(*job.spark());
    spark_->release();
  }
  stop_servers_if_idle();
}

// The job that does it has the session's id for a token: it is not followed by another.
void ProcessRunner::release_session(SparkTarget target) {
  engine::JobRequest request;
  request.token = target.session;
  request.members.push_back({.key = {}, .name = "spark-release", .operation = "internal/spark-release", .request = {}});
  request.limits.timeout = kReleaseLimit;
  spark_->acquire([weak = weak_from_this(), request = std::move(request), target](const Result<SparkTarget>& other) {
    auto self = weak.lock();
    if (self && other) self->begin({.request = request, .listener = std::make_shared<Silent>()}, self->spark_place(), target);
  });
}

void ProcessRunner::spark_died(const std::string& why) {
  Verdict verdict{.state = State::failed, .reason = Reason::killed, .exception = why, .lost = true};
  auto jobs = jobs_;
  for (const auto& [token, job] : jobs)
    if (job->spark()) job->stop(std::nullopt, verdict, context_->options.grace);
}

void ProcessRunner::end_waiting(WaitingJob job, const engine::Outcome& outcome) {
  for (const auto& member : job.request.members) job.listener->member_ended(job.request.token, member.key, outcome);
  job.listener->job_ended(job.request.token);
}

// --- Stop ---

void ProcessRunner::stop(const std::string& token, std::optional<engine::RevisionKey> member, State state, Reason reason) {
  Verdict verdict{.state = state, .reason = reason, .exception = {}};
  if (auto found = jobs_.find(token); found != jobs_.end()) {
    auto limit = found->second->request().limits.timeout;
    if (reason == Reason::timeout) verdict.exception = limit ? timeout_text(*limit) : "ran longer than its limit";
    return found->second->stop(member, verdict, context_->options.grace);
  }
  auto waiting = waiting_.find(token);
  if (waiting == waiting_.end()) return;
  auto& members = waiting->second.request.members;
  auto is_stopped = [&](const engine::Member& each) { return !member || each.key == *member; };
  for (const auto& each : members)
    if (is_stopped(each)) waiting->second.listener->member_ended(token, each.key, outcome_of(verdict));
  std::erase_if(members, is_stopped);
  if (!members.empty()) return;
  waiting->second.listener->job_ended(token);
  waiting_.erase(waiting);
}

void ProcessRunner::shutdown(std::function<void()> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  Verdict verdict{.state = State::failed, .reason = Reason::lost, .exception = "the server stopped", .lost = true};
  auto waiting = std::exchange(waiting_, {});
  for (const auto& [kind, environment] : made_) environment->stop();
  for (auto& [token, job] : waiting) end_waiting(std::move(job), outcome_of(verdict));
  auto jobs = jobs_;
  for (const auto& [token, job] : jobs) job->stop(std::nullopt, verdict, std::min(kShutdownGrace, context_->options.grace));
  stop_servers_if_idle();
}

void ProcessRunner::stop_servers_if_idle() {
  if (!stopping_ || !jobs_.empty() || !stopped_) return;
  auto left = std::make_shared<int>(2);
  auto one_ended = [self = shared_from_this(), left, done = std::exchange(stopped_, nullptr)] {
    if (--*left == 0) self->end_when_alone(0, done);
  };
  shared_->stop([servers = servers_, one_ended] { servers->stop(one_ended); });
  spark_->stop(one_ended);
}

// What is being killed is there for some moments more.
void ProcessRunner::end_when_alone(int round, std::function<void()> done) {
  context_->reaper->kill_orphans({});
  if (round >= kMostRounds || children_of(::getpid()).empty()) {
    sweep_.cancel();
    return done();
  }
  sweep_.expires_after(kRound);
  sweep_.async_wait([self = shared_from_this(), round, done = std::move(done)](auto error) {
    if (!error) self->end_when_alone(round + 1, done);
  });
}

// --- What a killed keeper or fork server leaves ---

void ProcessRunner::sweep_orphans_later() {
  if (stopping_) return;  // end_when_alone sees to it
  sweep_.expires_after(kOrphanDelay);
  sweep_.async_wait([weak = weak_from_this()](auto error) {
    if (auto self = weak.lock(); self && !error) self->sweep_orphans();
  });
}

// A keeper whose number is not known yet would look like an orphan: wait until there is none.
void ProcessRunner::sweep_orphans() {
  bool some_start = shared_->is_starting() || std::ranges::any_of(jobs_, [](const auto& entry) { return entry.second->is_starting(); });
  if (some_start) return sweep_orphans_later();
  auto keepers = shared_->keepers();
  for (const auto& [token, job] : jobs_) keepers.insert(job->keeper());
  context_->reaper->kill_orphans(keepers);
  context_->options.pool->post([folder = context_->run_folder() / "tmp"] { remove_abandoned_scratch(folder); });
}

}  // namespace lo::run
