#include "catalog/postgres/group_commit.h"

#include <thread>

#include "base/fault.h"
#include "base/log.h"
#include "catalog/postgres/changes.h"

namespace lo::catalog::postgres {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{1000};

}  // namespace

void GroupCommit::work_off(std::vector<Order> orders) {
  ++number_;
  auto status = fault_point("catalog.commit.before");
  if (status) status = settle(orders);
  if (!status) {
    log::error("catalog: a commit failed: {} {}", status.error().message, status.error().internal);
    outcomes_.assign(orders.size(), fail(status.error()));
    events_.clear();
    if (session_.is_there()) (void)session_.connection().execute("ROLLBACK");  // of no transaction it is only a warning
    if (session_.is_there()) (void)reload();                                   // else when the connection is back
  }
  if (listener_ && !events_.empty()) listener_(events_);
  for (std::size_t i = 0; i < orders.size(); ++i)
    std::visit([&](auto& order) { tell(order, std::move(outcomes_[i])); }, orders[i]);
}

// Until the group is committed or certainly not.
Status GroupCommit::settle(const Orders& orders) {
  deadline_ = steady_clock::now() + patience_;
  for (;;) {
    is_commit_sent_ = false;
    auto status = write(orders);
    if (status || session_.is_there() || session_.is_overtaken()) return status;
    if (!status.error().internal.empty()) log::warn("catalog: the connection was lost: {}", status.error().internal);
    auto back = come_back();
    if (is_commit_sent_ && session_.is_committed(number_) == true) return {};
    if (!back) return back;
    if (!has_patience()) return status;
  }
}

// Until there is a connection again, and with it the outcome of a COMMIT that was sent; what is lost in any case is given up earlier.
Status GroupCommit::come_back() {
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    auto status = session_.regain();
    if (status) status = reload();
    if (status || session_.is_overtaken()) return status;
    if (stopping_ || (!is_commit_sent_ && !has_patience()))
      return fail(Error{.code = Code::unavailable, .message = session_.check().error().message, .internal = status.error().message});
    std::this_thread::sleep_for(pause);
  }
}

bool GroupCommit::has_patience() const { return !stopping_ && steady_clock::now() < deadline_; }

// Most groups are good as a whole. Where something of one is refused, its batches are written again, each so that it can be taken back alone.
Status GroupCommit::write(const Orders& orders) {
  LO_TRY(session_.check());
  auto seq_before = last_seq_;
  auto status = write_together(orders);
  if (!status && (!session_.is_there() || session_.is_overtaken())) return status;
  if (!status) {
    last_seq_ = seq_before;
    LO_TRY(session_.connection().execute("ROLLBACK"));
    events_.clear();
    outcomes_.clear();
    if (orders.size() == 1) {
      outcomes_.emplace_back(fail(std::move(status).error()));
      return {};
    }
    LO_TRY(write_one_by_one(orders));
  }
  LO_TRY(fault_point("catalog.commit.between"));
  LO_TRY(send_commit());
  return fault_point("catalog.commit.after");
}

Status GroupCommit::write_together(const Orders& orders) {
  std::vector<Command> commands{{.sql = "BEGIN"}, session_.note_group(number_)};
  outcomes_.assign(orders.size(), 0);
  events_.clear();
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (const auto* trim = std::get_if<TrimOrder>(&orders[i])) commands.push_back(trim_command(last_seq_ - trim->keep, *outcomes_[i]));
    else append_commands(std::get<CommitOrder>(orders[i]).batch, last_seq_, commands, events_);
  }
  if (auto notify = session_.notify_group(); notify && !events_.empty()) commands.push_back(*std::move(notify));
  return session_.connection().run_together(commands);
}

Status GroupCommit::write_one_by_one(const Orders& orders) {
  LO_TRY(session_.connection().run_together(std::vector<Command>{{.sql = "BEGIN"}, session_.note_group(number_)}));
  for (const auto& order : orders) LO_TRY(write_one(order));
  if (auto notify = session_.notify_group(); notify && !events_.empty()) return session_.connection().run_together(std::vector<Command>{*std::move(notify)});
  return {};
}

// An error only when the transaction is lost with it.
Status GroupCommit::write_one(const Order& order) {
  auto& connection = session_.connection();
  auto seq_before = last_seq_;
  auto events_before = events_.size();
  std::int64_t gone = 0;
  std::vector<Command> commands{{.sql = "SAVEPOINT batch"}};
  if (const auto* trim = std::get_if<TrimOrder>(&order)) commands.push_back(trim_command(last_seq_ - trim->keep, gone));
  else append_commands(std::get<CommitOrder>(order).batch, last_seq_, commands, events_);
  auto status = connection.run_together(commands);
  if (connection.lost()) return status ? session_.check() : status;
  if (!status) {
    last_seq_ = seq_before;
    events_.resize(events_before);
    LO_TRY(connection.execute("ROLLBACK TO SAVEPOINT batch"));
  }
  LO_TRY(connection.execute("RELEASE SAVEPOINT batch"));
  outcomes_.push_back(status ? Outcome(gone) : Outcome(fail(std::move(status).error())));
  return {};
}

Status GroupCommit::send_commit() {
  is_commit_sent_ = true;
  LO_ASSIGN(auto answer, session_.connection().query("COMMIT"));
  if (answer.command() == "COMMIT") return {};
  return fail(Error{.code = Code::internal, .message = "the catalog refused a statement", .internal = "PostgreSQL rolled the group back"});
}

Status GroupCommit::reload() {
  LO_ASSIGN(last_seq_, session_.connection().number("SELECT coalesce(max(seq), 0) FROM event"));
  return {};
}

}  // namespace lo::catalog::postgres
