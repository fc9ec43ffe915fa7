#include "catalog/sqlite/sqlite_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "base/batch_worker.h"
#include "catalog/reader_pool.h"
#include "catalog/sqlite/group_commit.h"
#include "catalog/sqlite/open.h"
#include "catalog/sqlite/read_ahead.h"
#include "catalog/sqlite/reader.h"
#include "catalog/sqlite/step_order.h"

namespace lo::catalog {
namespace {

using sqlite::Connection;
using sqlite::Reader;

constexpr int kReaders = 3;     // reads are short; more would only cost memory
constexpr std::int64_t kRowsAtOnce = 1000;
constexpr std::int64_t kFar = 500;  // steps before a page that SQLite steps over faster than anybody looks them up
constexpr int kBootShift = 32;  // ids of one process: 4 billion from its number of boots on

// `read(piece)` gives the records of one of so many pieces.
template <class Read, class Record>
Status visit_all(std::size_t pieces, Read read, const std::function<void(Record)>& visit) {
  sqlite::ReadAhead<std::vector<Record>, Read> ahead(pieces, std::move(read));
  while (auto records = ahead.next()) {
    if (!*records) return std::unexpected(records->error());
    for (auto& record : **records) visit(std::move(record));
  }
  return {};
}

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(std::unique_ptr<sqlite::GroupCommit> writer, std::vector<std::unique_ptr<Reader>> readers, StepId first_id)
      : next_id_(first_id),
        group_commit_(std::move(writer)),
        readers_(std::move(readers)),
        writer_thread_("catalog", [this](auto orders) { group_commit_->work_off(std::move(orders)); }) {}

  void commit(Batch batch, Callback<Status> done) override {
    if (auto changes = sqlite::step_changes(batch); !changes.empty())
      done = [this, changes = std::move(changes), done = std::move(done)](Status status) mutable {
        if (status) order_.changed(std::move(changes));
        if (done) done(std::move(status));
      };
    writer_thread_.push(CommitOrder{.batch = std::move(batch), .done = std::move(done)});
  }
  void trim_events(std::int64_t keep, Callback<Result<std::int64_t>> done) override {
    writer_thread_.push(TrimOrder{.keep = std::max(keep, kKeptEvents), .done = std::move(done)});
  }
  StepId next_step_id() override { return next_id_++; }
  void on_events(std::function<void(std::span<const Event>)> listener) override {
    group_commit_->listen(std::move(listener));
  }

  Result<std::optional<Step>> find_step(std::string_view name) override { return readers_.borrow()->find_step(name); }
  Result<std::vector<Step>> list_steps(const StepFilter& filter) override;
  Result<std::optional<Revision>> revision(RevisionKey key) override { return readers_.borrow()->revision(key); }
  Result<std::vector<Revision>> revisions(StepId step) override { return readers_.borrow()->revisions(step); }
  Result<std::vector<Attempt>> attempts(StepId step) override { return readers_.borrow()->attempts(step); }
  Result<std::vector<Event>> events_after(std::int64_t seq, const EventFilter& filter, int limit) override {
    return readers_.borrow()->events_after(seq, filter, limit);
  }
  Result<std::int64_t> last_event() override { return readers_.borrow()->last_event(); }
  Result<std::int64_t> first_event() override { return readers_.borrow()->first_event(); }
  Result<std::vector<Subscription>> subscriptions() override { return readers_.borrow()->subscriptions(); }
  Result<std::optional<Workflow>> find_workflow(std::string_view name) override { return readers_.borrow()->find_workflow(name); }
  Result<std::vector<Workflow>> list_workflows(std::int64_t limit, std::int64_t skip) override {
    return readers_.borrow()->list_workflows(limit, skip);
  }
  Result<std::optional<Receipt>> find_receipt(std::string_view key) override { return readers_.borrow()->find_receipt(key); }
  Result<std::vector<Usage>> usage(std::string_view label) override { return readers_.borrow()->usage(label); }
  Result<std::vector<std::string>> garbage() override { return readers_.borrow()->garbage(); }
  Result<std::vector<std::string>> unreferenced(std::vector<std::string> digests) override {
    return readers_.borrow()->unreferenced(std::move(digests));
  }
  Result<std::vector<std::string>> held_only_by(std::vector<RevisionKey> revisions) override {
    return readers_.borrow()->held_only_by(revisions);
  }
  Result<std::set<std::string>> live_digests() override { return readers_.borrow()->live_digests(); }
  Status each_step(const std::function<void(Step)>& visit) override;
  Status each_revision(const Outline& outline, const std::function<void(Revision)>& visit) override;
  Result<std::vector<Revision>> open_revisions() override { return readers_.borrow()->open_revisions(); }
  Result<std::vector<Step>> all_steps() override { return readers_.borrow()->all_steps(); }
  Result<std::vector<Revision>> all_revisions() override { return readers_.borrow()->all_revisions(); }

 private:
  std::atomic<StepId> next_id_;
  sqlite::StepOrder order_;
  std::unique_ptr<sqlite::GroupCommit> group_commit_;  // the thread's alone once it has a commit to do
  ReaderPool<Reader> readers_;                         // closed before the writer, which then clears the log away
  BatchWorker<Order> writer_thread_;           // last: works off what waits before the rest goes
};

Result<std::vector<Step>> SqliteCatalog::list_steps(const StepFilter& filter) {
  if (filter.skip < kFar || filter.state || !filter.label_key.empty() || filter.typed_in_place) return readers_.borrow()->list_steps(filter);
  auto read_all = [this](const sqlite::StepOrder::Visit& visit) { return readers_.borrow()->each_step_id(visit); };
  LO_ASSIGN(auto first, order_.at(filter.service, filter.skip, read_all));
  if (!first) return std::vector<Step>();
  auto from_there = filter;
  from_there.skip = 0;
  return readers_.borrow()->list_steps(from_there, *first);
}

Status SqliteCatalog::each_step(const std::function<void(Step)>& visit) {
  LO_ASSIGN(auto ends, readers_.borrow()->step_samples(kRowsAtOnce));
  ends.push_back(std::numeric_limits<StepId>::max());
  auto read = [&](std::size_t piece) {
    return readers_.borrow()->steps_between(piece == 0 ? std::numeric_limits<StepId>::min() : ends[piece - 1], ends[piece]);
  };
  return visit_all(ends.size(), read, visit);
}

Status SqliteCatalog::each_revision(const Outline& outline, const std::function<void(Revision)>& visit) {
  LO_ASSIGN(auto last, readers_.borrow()->last_revision_row());
  auto read = [&](std::size_t piece) {
    auto first = 1 + static_cast<std::int64_t>(piece) * kRowsAtOnce;
    return readers_.borrow()->outlines(outline, first, first + kRowsAtOnce);
  };
  return visit_all(static_cast<std::size_t>(last / kRowsAtOnce) + 1, read, visit);
}

Result<std::vector<std::unique_ptr<Reader>>> open_readers(const std::filesystem::path& file) {
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < kReaders; ++i) {
    LO_ASSIGN(auto connection, Connection::open(file, Connection::Access::read_only));
    LO_TRY(sqlite::set_up(connection));
    readers.push_back(std::make_unique<Reader>(std::move(connection)));
  }
  return readers;
}

// Ids carry the number of the boot above kBootShift, so that none is given twice though none is stored when it is given.
Result<StepId> begin_ids(Connection& connection) {
  LO_ASSIGN(auto boots, connection.number("UPDATE counter SET value = value + 1 WHERE name = 'boots' RETURNING value"));
  return boots << kBootShift;
}

Result<std::unique_ptr<Catalog>> open_all(const std::filesystem::path& file) {
  LO_ASSIGN(auto connection, sqlite::open_writer(file));
  LO_ASSIGN(auto first_id, begin_ids(connection));
  auto writer = std::make_unique<sqlite::GroupCommit>(std::move(connection));
  LO_TRY(writer->prepare());
  LO_ASSIGN(auto readers, open_readers(file));
  return std::make_unique<SqliteCatalog>(std::move(writer), std::move(readers), first_id);
}

}  // namespace

Result<std::unique_ptr<Catalog>> open_sqlite_catalog(const std::filesystem::path& file) {
  auto catalog = open_all(file);
  if (catalog || catalog.error().message.contains(file.string())) return catalog;
  auto error = catalog.error();
  error.message = fmt::format("the catalog {} cannot be opened: {}", file.string(), error.message);
  return fail(std::move(error));
}

Status copy_sqlite_catalog(const std::filesystem::path& file, const std::filesystem::path& copy) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return fail(Code::not_found, fmt::format("there is no catalog {}", file.string()));
  LO_ASSIGN(auto source, Connection::open(file, Connection::Access::read_only));
  LO_ASSIGN(auto target, Connection::open(copy, Connection::Access::read_write));
  LO_TRY(sqlite::set_up(source));
  auto copied = source.copy_to(target);
  if (!copied) copied.error().message = fmt::format("{} cannot be copied to {}: {}", file.string(), copy.string(), copied.error().message);
  return copied;
}

}  // namespace lo::catalog
