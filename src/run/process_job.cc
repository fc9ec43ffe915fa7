#include "run/process_job.h"

#include <algorithm>

#include "base/log.h"
#include "run/group_removal.h"

namespace lo::run {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAfterGrace{3'000};    // for the keeper to say that all is gone
constexpr milliseconds kOutputPatience{2'000};  // for the end of the output, once no process is left
constexpr milliseconds kLastWords{5'000};     // between the last result and the end of the process
constexpr int kMostLaunches = 3;

// Runs `then` on the job, if it still lives, when the time is over and the timer was not cancelled.
template <class Then>
void after(asio::steady_timer& timer, milliseconds delay, std::weak_ptr<ProcessJob> job, Then then) {
  timer.expires_after(delay);
  timer.async_wait([job = std::move(job), then = std::move(then)](auto error) {
    if (auto self = job.lock(); self && !error) then(*self);
  });
}

}  // namespace

ProcessJob::ProcessJob(Parts parts)
    : parts_(std::move(parts)),
      limit_(parts_.context->strand),
      force_(parts_.context->strand),
      patience_(parts_.context->strand) {
  if (!parts_.request.limits.memory_bytes && parts_.context->memory_bytes > 0)
    parts_.request.limits.memory_bytes = parts_.context->memory_bytes;
  for (const auto& member : parts_.request.members) {
    members_.emplace_back();
    members_.back().member = member;
  }
}

// --- Start ---

void ProcessJob::begin() {
  if (!parts_.spark)
    if (auto files = prepare_without_disk(parts_.request, *parts_.context)) return prepared(*std::move(files));
  auto prepare = [context = parts_.context, request = parts_.request, spark = parts_.spark] { return prepare_job(request, *context, spark); };
  parts_.context->on_pool(std::move(prepare), [self = shared_from_this()](Result<JobFiles> files) { self->prepared(std::move(files)); });
}

void ProcessJob::prepared(Result<JobFiles> files) {
  if (!files) return settle_unstarted(failed(Reason::error, files.error().message));
  files_ = *std::move(files);
  for (std::size_t i = 0; i < members_.size(); ++i) members_[i].staging = std::move(files_.stagings[i]);
  if (stopping_) return settle_unstarted({});
  launch();
}

void ProcessJob::launch() {
  ++launches_;
  output_done_ = gone_ = false;
  auto output = open_output();
  if (!output) return settle_unstarted(failed(Reason::error, output.error().message));
  phase_ = Phase::launched;
  process_ = parts_.process(handlers());
  process_->launch(files_.work, *std::move(output));
}

Result<UniqueFd> ProcessJob::open_output() {
  LO_ASSIGN(auto pipe, make_output_pipe());
  auto log = std::make_unique<LogWriter>(log_paths(), parts_.context->options.log_bytes);
  auto weak = weak_from_this();
  auto grown = [weak] {
    if (auto self = weak.lock()) self->log_grew();
  };
  auto done = [weak] {
    if (auto self = weak.lock()) self->output_ended();
  };
  pump_ = std::make_shared<OutputPump>(parts_.context, std::move(pipe.ours), std::move(log), grown, done);
  pump_->start();
  return std::move(pipe.theirs);
}

ProcessHandlers ProcessJob::handlers() {
  // The process is closed in finish(), which ends the circle of owners.
  auto self = shared_from_this();
  return {.started = [self] { self->started(); },
          .progress = [self](const std::string& name, json::object data) { self->progress(name, std::move(data)); },
          .member_ended = [self](const MemberEnd& end) { self->member_ended(end); },
          .exited = [self](JobEnd end) { self->tree_ended(std::move(end)); },
          .gone = [self] { self->keeper_gone(); },
          .refused = [self](const std::string& why) {
            if (self->phase_ == Phase::launched) self->settle_unstarted(failed(Reason::error, "the step could not be started: " + why));
          }};
}

std::vector<std::filesystem::path> ProcessJob::log_paths() const {
  std::vector<std::filesystem::path> paths;
  for (const auto& run : members_)
    paths.push_back(log_path(parts_.context->options.data, run.member.key, parts_.request.attempt));
  return paths;
}

void ProcessJob::log_grew() {
  const auto& grew = parts_.context->options.log_grew;
  if (!grew) return;
  for (const auto& run : members_) grew(run.member.key, parts_.request.attempt);
}

// --- While it runs ---

void ProcessJob::started() {
  if (auto timeout = parts_.request.limits.timeout; timeout && !stopping_)
    after(limit_, *timeout, weak_from_this(), [](ProcessJob& self) { self.timed_out(); });
  if (stopping_) return;
  for (auto& run : members_)  // stopped before there was anybody to tell
    if (run.verdict && !run.is_settled()) stop_one(run, parts_.context->options.grace);
}

void ProcessJob::timed_out() {
  Verdict verdict{.state = State::failed, .reason = Reason::timeout, .exception = timeout_text(*parts_.request.limits.timeout)};
  stop(std::nullopt, verdict, parts_.context->options.grace);
}

void ProcessJob::progress(const std::string& name, json::object data) {
  if (auto* run = find(name); run != nullptr && !run->told)
    parts_.listener->progress(token(), run->member.key, std::move(data));
}

void ProcessJob::member_ended(const MemberEnd& end) {
  auto* run = find(end.member);
  if (run == nullptr) return log::warn("run: a step told the end of '{}', which is no member of it", end.member);
  if (end.usage) usage_ = end.usage;
  if (end.result.empty() || run->collecting || run->is_settled()) return collect(*run);
  run->collecting = true;
  collected(static_cast<std::size_t>(run - members_.data()), inline_result(end.result));
}

// No process of the job is left.
void ProcessJob::tree_ended(JobEnd end) {
  if (phase_ != Phase::launched) return;
  if (launch_again(end)) return;
  phase_ = Phase::over;
  limit_.cancel();
  force_.cancel();
  if (end.lost) end_lost(end, process_->group());
  by_itself_ = !stopping_ && !end.lost && end.exit.status == 0;
  end_ = std::move(end);
  for (auto& run : members_) collect(run);
  if (output_done_) return tell_settled();
  pump_->finish(kOutputPatience);
}

// A fork server that died before it forked has run nothing of the job.
bool ProcessJob::launch_again(const JobEnd& end) {
  if (!end.lost || process_->started() || stopping_ || launches_ >= kMostLaunches) return false;
  process_->close();
  pump_->abandon();
  launch();
  return true;
}

void ProcessJob::output_ended() {
  output_done_ = true;
  tell_settled();
}

// --- Results ---

void ProcessJob::collect(MemberRun& run) {
  if (run.collecting || run.is_settled()) return;
  run.collecting = true;
  auto index = static_cast<std::size_t>(&run - members_.data());
  if (run.verdict || !run.staging) return collected(index, std::nullopt);
  auto take = [store = parts_.context->options.store, staging = std::move(*run.staging)]() mutable {
    return collect_result(std::move(staging), *store);
  };
  run.staging.reset();
  parts_.context->on_pool(std::move(take), [self = shared_from_this(), index](std::optional<engine::Outcome> outcome) {
    self->collected(index, std::move(outcome));
  });
}

void ProcessJob::collected(std::size_t index, std::optional<engine::Outcome> outcome) {
  auto& run = members_[index];
  if (run.told) return;
  if (!outcome) outcome = outcome_without_result(end_.value_or(JobEnd{}), memory_limit());
  run.outcome = std::move(outcome);
  if (all_settled() && !end_ && !stopping_)  // nothing more to come: the process may take so long to end
    after(force_, kLastWords, weak_from_this(), [](ProcessJob& self) { self.stop_all(milliseconds{0}); });
  tell_settled();
}

// Ends the job before a process of it exists.
void ProcessJob::settle_unstarted(const engine::Outcome& outcome) {
  phase_ = Phase::over;
  end_ = JobEnd{};
  output_done_ = gone_ = true;
  if (process_) process_->close();
  for (auto& run : members_)
    if (!run.is_settled()) run.outcome = outcome;
  if (pump_) pump_->abandon();
  tell_settled();
}

// A member is told at once while others still run; the last ones with all that was printed, and what the job took.
void ProcessJob::tell_settled() {
  bool last = all_settled();
  if (last && ((!end_ && !usage_) || !output_done_)) return;
  if (last) limit_.cancel();
  for (auto& run : members_)
    if (!run.told && run.outcome) tell(run);
  if (!last || phase_ != Phase::over) return;
  parts_.listener->job_ended(token());  // the files go meanwhile
  clean_up();
}

void ProcessJob::tell(MemberRun& run) {
  run.told = true;
  auto outcome = run.verdict ? outcome_of(*run.verdict) : *std::move(run.outcome);
  run.outcome.reset();
  if (pump_) outcome.message = pump_->message();
  if (const auto& end = usage_ ? usage_ : end_) add_usage(outcome, *end, memory_limit());
  parts_.listener->member_ended(token(), run.member.key, std::move(outcome));
}

// --- Stop ---

void ProcessJob::stop(std::optional<engine::RevisionKey> member, const Verdict& verdict, milliseconds grace) {
  std::vector<MemberRun*> fresh;
  for (auto& run : members_) {
    if (run.told || run.verdict || (member && run.member.key != *member)) continue;
    run.verdict = verdict;
    fresh.push_back(&run);
  }
  if (fresh.empty() && member) return;
  bool some_run_on = std::ranges::any_of(members_, [](const MemberRun& run) { return !run.told && !run.verdict; });
  if (!some_run_on) return stop_all(grace);
  for (auto* run : fresh) stop_one(*run, grace);
}

void ProcessJob::stop_all(milliseconds grace) {
  limit_.cancel();
  stopping_ = true;
  if (phase_ != Phase::launched) return;  // not yet: prepared() sees it; no more: it ends by itself
  if (process_->take_back()) return settle_unstarted({});
  process_->stop(grace);
  after(force_, grace + kAfterGrace, weak_from_this(), [](ProcessJob& self) { self.kill_by_force(); });
}

void ProcessJob::stop_one(MemberRun& run, milliseconds grace) {
  if (phase_ != Phase::launched) return;  // told with its verdict when the job runs, or never does
  process_->stop_member(run.member.name);
  auto& timer = *member_timers_.emplace_back(std::make_unique<asio::steady_timer>(parts_.context->strand));
  after(timer, grace, weak_from_this(), [name = run.member.name](ProcessJob& self) {
    if (auto* late = self.find(name); late != nullptr) self.collect(*late);
  });
}

void ProcessJob::kill_by_force() {
  if (phase_ != Phase::launched) return;  // it has ended just now, and its keeper may have another job's group
  log::warn("run: the keeper of {} did not end its processes in time; they are killed", token());
  process_->group().kill();
  process_->kill();
  after(force_, kAfterGrace, weak_from_this(), [](ProcessJob& self) {
    JobEnd end;
    end.lost = true;
    end.lost_why = "its processes could not be ended";
    self.tree_ended(std::move(end));
  });
}

// --- The end ---

void ProcessJob::clean_up() {
  phase_ = Phase::cleaning;
  for (auto& timer : member_timers_) timer->cancel();
  if (gone_) return remove_files();
  after(patience_, kOutputPatience, weak_from_this(), [](ProcessJob& self) {
    self.process_->kill();
    self.keeper_gone();
  });
}

void ProcessJob::keeper_gone() {
  if (!std::exchange(gone_, true) && phase_ == Phase::cleaning) remove_files();
}

void ProcessJob::remove_files() {
  patience_.cancel();
  std::vector<store::Staging> stagings;
  for (auto& run : members_)
    if (run.staging && !run.staging->discard_if_empty()) stagings.push_back(*std::exchange(run.staging, std::nullopt));
  auto group = was_lost() && process_ ? process_->group() : JobCgroup();  // else its keeper sees to it
  if (stagings.empty() && group.folders().empty() && !files_.work.contains("step_file"))  // later: whoever called still uses the job
    return asio::post(parts_.context->strand, [self = shared_from_this()] { self->finish(); });
  auto remove = [folder = files_.folder, has_folder = files_.work.contains("step_file"), stagings = std::move(stagings)]() mutable {
    stagings.clear();
    if (has_folder) remove_job_folder(folder);
  };
  remove_with_group(parts_.context, std::move(remove), std::move(group), [self = shared_from_this()] { self->finish(); });
}

void ProcessJob::finish() {
  if (process_) process_->close();
  parts_.ended(*this);
}

ProcessJob::MemberRun* ProcessJob::find(const std::string& name) {
  auto found = std::ranges::find(members_, name, [](const MemberRun& run) { return run.member.name; });
  return found == members_.end() ? nullptr : &*found;
}

bool ProcessJob::all_settled() const { return std::ranges::all_of(members_, &MemberRun::is_settled); }

}  // namespace lo::run
