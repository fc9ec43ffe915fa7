#include "run/native_runner.h"

#include <ctime>

#include "base/log.h"
#include "run/remote_files.h"

namespace lo::run {
namespace {

double thread_cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Reason reason_of(const Error& error) { return error.code == Code::timeout ? Reason::timeout : Reason::error; }

Result<engine::Outcome> publish(engine::Outcome outcome, store::Staging staging, store::Store& store) {
  LO_ASSIGN(auto draft, store::manifest_from_json(outcome.manifest));
  LO_ASSIGN(auto manifest, store.publish(std::move(staging), std::move(draft)));
  outcome.manifest = store::to_json(manifest);
  outcome.facts[engine::kResultDigest] = manifest.digest();
  outcome.state = State::finished;
  return outcome;
}

// On a thread of the pool.
Result<engine::Outcome> operate(const NativeOperation& operation, const engine::JobRequest& request, store::Store& store,
                                NativeContext& native) {
  if (native.stop.stop_requested()) return fail(Code::cancelled, "stopped");
  LO_ASSIGN(auto staging, store.stage(request.token + "-0"));
  LO_ASSIGN(auto outcome, operation(request, staging, native));
  if (native.stop.stop_requested()) return fail(Code::cancelled, "stopped");
  return publish(std::move(outcome), std::move(staging), store);
}

}  // namespace

void NativeRunner::start(engine::JobRequest request, std::shared_ptr<engine::JobListener> listener) {
  auto job = std::make_shared<Job>(context_->strand);
  job->request = std::move(request);
  job->listener = std::move(listener);
  jobs_.emplace(job->request.token, job);
  if (stopping_) stop_job(*job, {.state = State::failed, .reason = Reason::lost, .exception = "the server is stopping", .lost = true});
  if (auto timeout = job->request.limits.timeout) {
    job->limit.expires_after(*timeout);
    job->limit.async_wait([weak = std::weak_ptr(job), limit = *timeout](auto error) {
      if (auto late = weak.lock(); late && !error)
        stop_job(*late, {.state = State::failed, .reason = Reason::timeout, .exception = timeout_text(limit)});
    });
  }
  run(job);
}

void NativeRunner::run(const std::shared_ptr<Job>& job) {
  context_->board.count_job("native", 1);
  context_->options.native_pool->post([self = shared_from_this(), job] {
    const auto& request = job->request;
    const auto& member = request.members.front();
    auto& context = *self->context_;
    NativeContext native{.stop = job->stop.get_token(), .progress = [job, key = member.key](json::object data) {
                           job->listener->progress(job->request.token, key, std::move(data));
                         },
                         .open_remote = [&self, &job](const std::string& url) { return open_remote(self->context_, url, job->stop.get_token()); }};
    auto before = thread_cpu_seconds();
    auto result = operate(context.options.native.find(member.operation)->second, request, *context.options.store, native);
    auto outcome = result ? *std::move(result) : failed(reason_of(result.error()), result.error().message);
    if (!result && !result.error().internal.empty()) log::warn("run: {}: {}", member.operation, result.error().internal);
    outcome.cpu_seconds = thread_cpu_seconds() - before;
    asio::post(context.strand, [self, token = request.token, outcome = std::move(outcome)]() mutable {
      self->ended(token, std::move(outcome));
    });
  });
}

void NativeRunner::stop(const std::string& token, State state, Reason reason) {
  auto found = jobs_.find(token);
  if (found == jobs_.end()) return;
  auto& job = *found->second;
  Verdict verdict{.state = state, .reason = reason, .exception = {}};
  if (reason == Reason::timeout && job.request.limits.timeout) verdict.exception = timeout_text(*job.request.limits.timeout);
  stop_job(job, std::move(verdict));
}

void NativeRunner::stop_job(Job& job, Verdict verdict) {
  if (!job.verdict) job.verdict = std::move(verdict);
  job.stop.request_stop();
}

void NativeRunner::ended(const std::string& token, engine::Outcome outcome) {
  auto job = jobs_.extract(token).mapped();
  job->limit.cancel();
  context_->board.count_job("native", -1);
  if (job->verdict) outcome = outcome_of(*job->verdict);
  job->listener->member_ended(token, job->request.members.front().key, std::move(outcome));
  job->listener->job_ended(token);
  if (stopping_ && jobs_.empty() && stopped_) std::exchange(stopped_, nullptr)();
}

void NativeRunner::shutdown(std::function<void()> done) {
  stopping_ = true;
  for (auto& [token, job] : jobs_)
    stop_job(*job, {.state = State::failed, .reason = Reason::lost, .exception = "the server stopped", .lost = true});
  if (jobs_.empty()) return done();
  stopped_ = std::move(done);
}

}  // namespace lo::run
