#include "engine/conductor.h"

#include "engine/conductor_impl.h"

namespace lo::engine {

std::shared_ptr<Conductor> Conductor::make(ConductorPorts ports, PlanOptions options) {
  return std::shared_ptr<Conductor>(new Conductor(std::make_shared<Impl>(std::move(ports), options)));
}

Conductor::~Conductor() = default;

Status Conductor::recover() { return impl_->recover(); }

void Conductor::submit(Submission submission, Callback<Result<std::vector<Accepted>>> done) {
  impl_->on_strand([submission = std::move(submission), done = std::move(done)](Impl& impl) mutable {
    impl.submit(std::move(submission), std::move(done));
  });
}

void Conductor::revise(Revise revision, Callback<Result<Accepted>> done) {
  impl_->on_strand([revision = std::move(revision), done = std::move(done)](Impl& impl) mutable {
    impl.revise(std::move(revision), std::move(done));
  });
}

void Conductor::rerun(std::string name, bool cascade, Callback<Result<Accepted>> done, OnlyIf only_if, std::optional<catalog::Receipt> receipt) {
  impl_->on_strand([name = std::move(name), cascade, done = std::move(done), only_if = std::move(only_if), receipt = std::move(receipt)](Impl& impl) mutable {
    impl.rerun(name, cascade, std::move(only_if), std::move(receipt), std::move(done));
  });
}

void Conductor::wake() {
  impl_->on_strand([](Impl& impl) { impl.look_at_clock(); });
}

void Conductor::backfill(std::vector<std::string> names, WallTime scheduled_for, Callback<Status> done, std::optional<catalog::Receipt> receipt) {
  impl_->on_strand([names = std::move(names), scheduled_for, done = std::move(done), receipt = std::move(receipt)](Impl& impl) mutable {
    impl.backfill(names, scheduled_for, std::move(receipt), std::move(done));
  });
}

void Conductor::check(std::vector<Question> questions, Callback<std::vector<Status>> done) {
  impl_->on_strand([questions = std::move(questions), done = std::move(done)](Impl& impl) mutable { done(impl.check(questions)); });
}

void Conductor::cancel(std::string name, Callback<Status> done, OnlyIf only_if) {
  impl_->on_strand([name = std::move(name), done = std::move(done), only_if = std::move(only_if)](Impl& impl) mutable {
    impl.cancel(name, only_if, std::move(done));
  });
}

void Conductor::remove(std::string name, std::string service, bool cascade, Callback<Result<Removed>> done, OnlyIf only_if) {
  impl_->on_strand([name = std::move(name), service = std::move(service), cascade, done = std::move(done),
                    only_if = std::move(only_if)](Impl& impl) mutable {
    impl.remove(name, service, cascade, only_if, std::move(done));
  });
}

void Conductor::retire(Retention keep, bool dry_run, Callback<Result<std::vector<Retired>>> done) {
  impl_->on_strand([keep, dry_run, done = std::move(done)](Impl& impl) mutable { impl.retire(keep, dry_run, std::move(done)); });
}

void Conductor::standing(std::string name, Callback<std::optional<Standing>> done) {
  impl_->on_strand(
      [name = std::move(name), done = std::move(done)](Impl& impl) mutable { done(impl.standing(name)); });
}

void Conductor::lineage(std::string name, Direction direction, Callback<std::optional<Lineage>> done) {
  impl_->on_strand([name = std::move(name), direction, done = std::move(done)](Impl& impl) mutable { done(impl.lineage(name, direction)); });
}

void Conductor::load(Callback<Load> done) {
  impl_->on_strand([done = std::move(done)](Impl& impl) mutable { done(impl.load()); });
}

void Conductor::shutdown(std::move_only_function<void()> done) {
  impl_->on_strand([done = std::move(done)](Impl& impl) mutable { impl.shutdown(std::move(done)); });
}

}  // namespace lo::engine
