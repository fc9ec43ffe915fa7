#include "serve/group.h"

#include <utility>

#include "base/log.h"

namespace lo::serve {
namespace {

using namespace std::chrono_literals;

constexpr auto kTurn = 300ms;       // between two looks at who leads
constexpr auto kAfterLoss = 3000ms;  // a database that was away comes back to the one that led first: it may have commits under way

}  // namespace

Group::Group(catalog::SharedCatalog& catalog, std::string address, Events events)
    : catalog_(catalog), address_(std::move(address)), events_(std::move(events)) {
  thread_.emplace("group", [this] { run(); });
}

void Group::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.reset();
  changes_.close();
}

std::string Group::leader() const {
  MutexLock lock(mutex_);
  return leader_;
}

Awaitable<void> Group::changed(std::chrono::milliseconds most) { co_await changes_.beyond(changes_.value(), most); }

void Group::run() {
  auto is_to_go_on = [this] {
    MutexLock lock(mutex_);
    return !stopping_;
  };
  while (is_to_go_on()) leads_ ? watch() : campaign();
}

void Group::campaign() {
  look();
  auto status = catalog_.lead(kTurn);
  if (!status && status.error().code == Code::conflict) return;
  if (!status) {
    log::debug("group: {} {}", status.error().message, status.error().internal);
    return pause(kAfterLoss);
  }
  log::info("this server leads now: {}", address_);
  if (auto taken = events_.take_over(); !taken) {
    events_.end(taken.error().message);
    return pause(std::chrono::hours(1));
  }
  leads_ = true;
  set_leader(address_);
}

// A server that was cut off does not know that another one leads before it asks.
void Group::watch() {
  auto leader = catalog_.leader();
  if (leader && !leader->is_self) {
    leads_ = false;
    set_leader(leader->address);
    events_.end("another server leads now: " + leader->address);
    return pause(std::chrono::hours(1));
  }
  pause(kTurn);
}

// The address of this server itself is one of before it was started: nobody leads yet. While the database does not say, the one that led is asked.
void Group::look() {
  auto leader = catalog_.leader();
  if (leader) set_leader(leader->address != address_ ? leader->address : "");
}

void Group::set_leader(std::string address) {
  {
    MutexLock lock(mutex_);
    if (leader_ == address) return;
    leader_ = std::move(address);
  }
  changes_.advance();
}

void Group::pause(std::chrono::milliseconds most) {
  auto until = std::chrono::steady_clock::now() + most;
  MutexLock lock(mutex_);
  while (!stopping_ && std::chrono::steady_clock::now() < until) wake_.wait_until(mutex_, until);
}

}  // namespace lo::serve
