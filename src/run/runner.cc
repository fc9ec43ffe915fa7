#include "run/runner.h"

#include <sys/prctl.h>

#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <fmt/format.h>

#include "run/checkpoints.h"
#include "run/leftovers.h"
#include "run/native_runner.h"
#include "run/process_runner.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kShutdownLimit{7'500};

bool is_process_operation(std::string_view operation) {
  return operation == "function/python" || operation == "builder/sparkml" || operation == "internal/export" || operation == "environment" || operation == "dataset/sql" ||
         operation.ends_with("/scikitlearn") || operation.ends_with("/tensorflow");
}

Status make_folders(const fs::path& data) {
  for (const auto& folder : {data / "logs", data / "run", data / "run" / "tmp", data / "spark", data / "checkpoints", data / "environments"}) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) fs::permissions(folder, fs::perms::owner_all, error);
    if (error) return fail_errno("cannot make " + folder.string(), error.value());
  }
  return {};
}

// Hands a job to the runner that knows its operation. Any thread; all else happens on the strand.
class Router final : public engine::Runner {
 public:
  explicit Router(std::shared_ptr<RunContext> context)
      : context_(std::move(context)), native_(std::make_shared<NativeRunner>(context_)) {
    asio::post(context_->strand, [this, context = context_] {
      context->reaper = ChildReaper::start(context->strand);
      processes_ = ProcessRunner::make(context);
    });
  }

  void start(engine::JobRequest job, std::shared_ptr<engine::JobListener> listener) override {
    asio::post(context_->strand, [this, job = std::move(job), listener = std::move(listener)]() mutable {
      route(std::move(job), std::move(listener));
    });
  }

  void stop(const std::string& token, std::optional<engine::RevisionKey> member, State state, Reason reason) override {
    asio::post(context_->strand, [this, token, member, state, reason] {
      native_->stop(token, state, reason);
      processes_->stop(token, member, state, reason);
    });
  }

  void forget(engine::RevisionKey revision) override {
    if (!context_->checkpoints) return;
    context_->options.pool->post([context = context_, revision] { remove_checkpoint(context->options.data, revision); });
  }

  void forget_all_but(std::set<engine::RevisionKey> revisions) override {
    context_->options.pool->post([context = context_, revisions = std::move(revisions)] {
      if (remove_checkpoints_but(context->options.data, revisions) > 0) context->checkpoints = true;
    });
  }

  void warm() override {
    asio::post(context_->strand, [this] { processes_->warm(); });
  }

  json::object status() const override { return context_->board.snapshot(); }

  void shutdown(std::move_only_function<void()> done) override {
    asio::post(context_->strand, [this, done = std::make_shared<std::move_only_function<void()>>(std::move(done))] { end(done); });
  }

 private:
  void route(engine::JobRequest job, std::shared_ptr<engine::JobListener> listener) {
    const auto& operation = job.members.front().operation;
    if (native_->runs(operation)) return native_->start(std::move(job), std::move(listener));
    if (is_process_operation(operation)) return processes_->start(std::move(job), std::move(listener));
    auto outcome = failed(Reason::refused, fmt::format("nothing here can run '{}'", operation));
    for (const auto& member : job.members) listener->member_ended(job.token, member.key, outcome);
    listener->job_ended(job.token);
  }

  // Whatever happens, `done` is called once. The runner may be gone right afterwards.
  void end(const std::shared_ptr<std::move_only_function<void()>>& done) {
    auto deadline = std::make_shared<asio::steady_timer>(context_->strand);
    auto finish = [context = context_, done, deadline] {
      deadline->cancel();
      context->reaper->stop();
      for (const auto& root : context->cgroups.roots()) sweep_cgroups(root);  // of keepers that were killed while they waited
      context->cgroups.remove_roots();
      if (auto once = std::exchange(*done, nullptr)) once();
    };
    deadline->expires_after(kShutdownLimit);
    deadline->async_wait([finish](auto error) {
      if (!error) finish();
    });
    auto one = [left = std::make_shared<int>(2), finish] {
      if (--*left == 0) finish();
    };
    native_->shutdown(one);
    processes_->shutdown(one);
  }

  const std::shared_ptr<RunContext> context_;
  const std::shared_ptr<NativeRunner> native_;
  std::shared_ptr<ProcessRunner> processes_;  // set on the strand, before any job
};

}  // namespace

Result<std::unique_ptr<engine::Runner>> make_runner(RunOptions options) {
  auto data = fs::absolute(options.data);
  options.data = data;
  std::error_code error;
  fs::create_directories(data, error);
  LO_ASSIGN(auto id, server_id_of(data));
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return fail_errno("prctl PR_SET_CHILD_SUBREAPER", errno);
  clear_leftovers(data, id);
  LO_TRY(make_folders(data));
  auto cgroups = options.cgroups ? Cgroups::detect(id) : Cgroups();
  LO_TRY(note_cgroups(data, cgroups));
  auto context = std::make_shared<RunContext>(std::move(options), std::move(cgroups));
  context->server_id = id;
  context->memory_bytes = context->options.memory_bytes.value_or(memory_for_jobs());
  return std::make_unique<Router>(std::move(context));
}

}  // namespace lo::run
