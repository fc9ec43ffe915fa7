#include "engine/mirror.h"

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "base/log.h"
#include "engine/registry.h"

namespace lo::engine {
namespace {

constexpr std::chrono::milliseconds kGather{20};  // changes of so long are read together
constexpr std::chrono::seconds kTryAgain{1};

struct Read {
  std::vector<catalog::Step> steps;
  std::vector<catalog::Revision> revisions;
};

void update(Registry& registry, const catalog::Revision& revision) {
  if (registry.find(revision.key) == nullptr) return registry.add_revision(revision);
  registry.set_parents(revision.key, revision.parents);
  registry.set_state(revision.key, revision.state, revision.reason);
  if (revision.ended) registry.set_ended(revision.key, *revision.ended);
  if (revision.state == State::finished) registry.set_facts(revision.key, revision.facts);
}

// The catalog has these steps of `names`, and no others.
void apply(Registry& registry, const std::set<std::string>& names, Read read) {
  std::map<std::string, StepId> living;
  for (const auto& step : read.steps) living[step.name] = step.id;
  for (const auto& name : names)
    if (const auto* entry = registry.find(name); entry != nullptr && (!living.contains(name) || living.at(name) != entry->step.id)) registry.remove_step(entry->step.id);
  std::map<StepId, std::set<int>> kept;
  for (auto& step : read.steps) {
    kept[step.id];
    if (registry.find(step.id) == nullptr) registry.add_step(std::move(step));
  }
  for (const auto& revision : read.revisions) {
    if (!kept.contains(revision.key.step)) continue;
    kept.at(revision.key.step).insert(revision.key.revision);
    update(registry, revision);
  }
  for (const auto& [id, numbers] : kept)
    for (const auto& [number, brief] : std::map(registry.find(id)->revisions))
      if (!numbers.contains(number)) registry.remove_revision({.step = id, .revision = number});
}

}  // namespace

// Everything but the ports is touched on the strand.
class Mirror::Impl : public std::enable_shared_from_this<Mirror::Impl> {
 public:
  explicit Impl(MirrorPorts ports) : ports_(std::move(ports)), strand_(asio::make_strand(ports_.executor)), timer_(strand_) {}

  template <class Do>
  void on_strand(Do what) {
    asio::post(strand_, [self = shared_from_this(), what = std::move(what)]() mutable { what(*self); });
  }

  void read_all();
  void add_names(std::set<std::string> names);
  std::optional<Standing> standing(const std::string& name) const;
  void stop();

 private:
  void take_all(Result<std::shared_ptr<Registry>> registry);
  void arm(std::chrono::milliseconds after);
  void read_changed();
  void take_changed(Result<Read> read);

  const MirrorPorts ports_;
  const Strand strand_;
  asio::steady_timer timer_;
  Registry registry_;
  std::set<std::string> names_;    // that have changed and have not been read since
  std::set<std::string> reading_;  // that are being read
  bool is_loaded_ = false;
  bool is_busy_ = false;  // waits for the timer, or reads
  bool is_stopped_ = false;
};

void Mirror::Impl::read_all() {
  ports_.pool->post([self = shared_from_this()] {
    auto registry = std::make_shared<Registry>();
    auto status = self->ports_.catalog->each_step([&](catalog::Step step) { registry->add_step(std::move(step)); });
    if (status)
      status = self->ports_.catalog->each_revision(kRemembered, [&](const catalog::Revision& revision) {
        if (registry->find(revision.key.step) != nullptr) registry->add_revision(revision);  // else it came later: an event tells of it
      });
    auto read = status ? Result<std::shared_ptr<Registry>>(registry) : std::unexpected(status.error());
    self->on_strand([read = std::move(read)](Impl& impl) mutable { impl.take_all(std::move(read)); });
  });
}

void Mirror::Impl::take_all(Result<std::shared_ptr<Registry>> registry) {
  if (is_stopped_) return;
  if (!registry) {
    log::warn("engine: the steps cannot be read now: {}", registry.error().message);
    timer_.expires_after(kTryAgain);
    return timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->read_all();
    });
  }
  registry_ = std::move(**registry);
  is_loaded_ = true;
  arm(std::chrono::milliseconds(0));
}

void Mirror::Impl::add_names(std::set<std::string> names) {
  if (is_stopped_) return;
  names_.merge(names);
  arm(kGather);
}

void Mirror::Impl::arm(std::chrono::milliseconds after) {
  if (is_busy_ || !is_loaded_ || names_.empty()) return;
  is_busy_ = true;
  timer_.expires_after(after);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->read_changed();
  });
}

void Mirror::Impl::read_changed() {
  reading_ = std::exchange(names_, {});
  ports_.pool->post([self = shared_from_this(), names = std::vector(reading_.begin(), reading_.end())] {
    Read read;
    auto status = self->ports_.each_named(names, kRemembered, [&](catalog::Step step) { read.steps.push_back(std::move(step)); },
                                          [&](catalog::Revision revision) { read.revisions.push_back(std::move(revision)); });
    auto result = status ? Result<Read>(std::move(read)) : std::unexpected(status.error());
    self->on_strand([result = std::move(result)](Impl& impl) mutable { impl.take_changed(std::move(result)); });
  });
}

void Mirror::Impl::take_changed(Result<Read> read) {
  if (is_stopped_) return;
  is_busy_ = false;
  auto names = std::exchange(reading_, {});
  if (read) apply(registry_, names, *std::move(read));
  else names_.merge(names);
  arm(read ? std::chrono::milliseconds(kGather) : kTryAgain);
}

std::optional<Standing> Mirror::Impl::standing(const std::string& name) const {
  const auto* entry = registry_.find(name);
  if (entry == nullptr || entry->revisions.empty() || names_.contains(name) || reading_.contains(name)) return std::nullopt;
  const auto& newest = entry->revisions.rbegin()->second;
  if (!is_terminal(newest.state) || newest.scheduled_for) return std::nullopt;
  Standing standing;
  standing.of = {.step = entry->step.id, .revision = entry->newest(), .state = newest.state};
  standing.stale = registry_.stale_because(entry->step.id);
  standing.newest_parents = registry_.newest_parents(entry->step.id);
  return standing;
}

void Mirror::Impl::stop() {
  is_stopped_ = true;
  registry_ = {};
  names_.clear();
  timer_.cancel();
}

Mirror::Mirror(MirrorPorts ports) : impl_(std::make_shared<Impl>(std::move(ports))) {}

Mirror::~Mirror() { stop(); }

void Mirror::start() { impl_->read_all(); }

void Mirror::changed(std::span<const catalog::Event> events) {
  std::set<std::string> names;
  for (const auto& event : events)
    if (event.type != "progress") names.insert(event.name);
  if (!names.empty()) impl_->on_strand([names = std::move(names)](Impl& impl) mutable { impl.add_names(std::move(names)); });
}

void Mirror::standing(std::string name, Callback<std::optional<Standing>> done) {
  impl_->on_strand([name = std::move(name), done = std::move(done)](Impl& impl) mutable { done(impl.standing(name)); });
}

void Mirror::stop() {
  impl_->on_strand([](Impl& impl) { impl.stop(); });
}

}  // namespace lo::engine
