#include "catalog/postgres/postgres_catalog.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>
#include <type_traits>

#include "base/batch_worker.h"
#include "catalog/postgres/follower.h"
#include "catalog/postgres/group_commit.h"
#include "catalog/postgres/reader.h"
#include "catalog/postgres/schema.h"
#include "catalog/reader_pool.h"

namespace lo::catalog {
namespace {

using postgres::Connection;
using postgres::Reader;
using std::chrono::steady_clock;

constexpr int kReaders = 3;  // each a process of PostgreSQL's
constexpr std::int64_t kRowsAtOnce = 1000;
constexpr int kBootShift = 32;  // ids of one epoch: 4 billion from its number on
constexpr std::chrono::milliseconds kPause{100};

// A reader that connects again.
class LastingReader {
 public:
  LastingReader(const std::string& url, Connection connection, std::chrono::milliseconds patience, const std::atomic<bool>& stopping)
      : url_(url), patience_(patience), stopping_(stopping), reader_(std::in_place, std::move(connection)) {}

  // What `read(reader)` gives. When its connection is lost it is done once more, on a fresh one.
  template <class Read>
  std::invoke_result_t<Read, Reader&> run(const Read& read) {
    if (!reader_) LO_TRY(connect());
    auto result = read(*reader_);
    if (result || !reader_->lost()) return result;
    LO_TRY(connect());
    return read(*reader_);
  }

 private:
  Status connect() {
    reader_.reset();
    auto deadline = steady_clock::now() + patience_;
    for (;;) {
      auto connection = Connection::open(url_);
      if (connection) reader_.emplace(*std::move(connection));
      if (connection) return {};
      if (stopping_ || steady_clock::now() > deadline)
        return fail(Error{.code = Code::unavailable,
                          .message = "the catalog's database is not there now: try again",
                          .internal = connection.error().message});
      std::this_thread::sleep_for(kPause);
    }
  }

  const std::string url_;
  const std::chrono::milliseconds patience_;
  const std::atomic<bool>& stopping_;
  std::optional<Reader> reader_;
};

// What writes, once this server leads.
struct Writer {
  Writer(postgres::Session session, const PostgresOptions& options, const std::atomic<bool>& stopping)
      : group_commit(std::move(session), options.patience, stopping), thread("catalog", [this](auto orders) { group_commit.work_off(std::move(orders)); }) {}

  postgres::GroupCommit group_commit;  // the thread's alone once it has a commit to do
  BatchWorker<Order> thread;           // last: works off what waits before the rest goes
};

class PostgresCatalog final : public SharedCatalog {
 public:
  PostgresCatalog(std::string url, std::string address, const PostgresOptions& options, std::vector<Connection> connections)
      : url_(std::move(url)), address_(std::move(address)), options_(options), readers_(make_readers(std::move(connections))) {}
  ~PostgresCatalog() override {
    follower_.reset();
    stopping_ = true;
  }

  Status join();
  Status check_company();
  void follow(std::int64_t seq) override { follower_.emplace(url_, seq, listener_); }
  Status lead(std::chrono::milliseconds patience) override;
  Result<Leader> leader() override;
  Status each_named(const std::vector<std::string>& names, const Outline& outline, const std::function<void(Step)>& visit_step,
                    const std::function<void(Revision)>& visit_revision) override;

  void commit(Batch batch, Callback<Status> done) override { push(CommitOrder{.batch = std::move(batch), .done = std::move(done)}); }
  void trim_events(std::int64_t keep, Callback<Result<std::int64_t>> done) override {
    push(TrimOrder{.keep = std::max(keep, kKeptEvents), .done = std::move(done)});
  }
  StepId next_step_id() override { return next_id_++; }
  void on_events(std::function<void(std::span<const Event>)> listener) override {
    listener_ = std::move(listener);
    if (writer_) writer_->group_commit.listen(listener_);
  }

  Result<std::optional<Step>> find_step(std::string_view name) override {
    return read([&](Reader& reader) { return reader.find_step(name); });
  }
  Result<std::vector<Step>> list_steps(const StepFilter& filter) override {
    return read([&](Reader& reader) { return reader.list_steps(filter); });
  }
  Result<std::optional<Revision>> revision(RevisionKey key) override {
    return read([&](Reader& reader) { return reader.revision(key); });
  }
  Result<std::vector<Revision>> revisions(StepId step) override {
    return read([&](Reader& reader) { return reader.revisions(step); });
  }
  Result<std::vector<Attempt>> attempts(StepId step) override {
    return read([&](Reader& reader) { return reader.attempts(step); });
  }
  Result<std::vector<Event>> events_after(std::int64_t seq, const EventFilter& filter, int limit) override {
    return read([&](Reader& reader) { return reader.events_after(seq, filter, limit); });
  }
  Result<std::int64_t> last_event() override {
    return read([](Reader& reader) { return reader.last_event(); });
  }
  Result<std::int64_t> first_event() override {
    return read([](Reader& reader) { return reader.first_event(); });
  }
  Result<std::vector<Subscription>> subscriptions() override {
    return read([](Reader& reader) { return reader.subscriptions(); });
  }
  Result<std::optional<Workflow>> find_workflow(std::string_view name) override {
    return read([&](Reader& reader) { return reader.find_workflow(name); });
  }
  Result<std::vector<Workflow>> list_workflows(std::int64_t limit, std::int64_t skip) override {
    return read([&](Reader& reader) { return reader.list_workflows(limit, skip); });
  }
  Result<std::optional<Receipt>> find_receipt(std::string_view key) override {
    return read([&](Reader& reader) { return reader.find_receipt(key); });
  }
  Result<std::vector<Usage>> usage(std::string_view label) override {
    return read([&](Reader& reader) { return reader.usage(label); });
  }
  Result<std::vector<std::string>> garbage() override {
    return read([](Reader& reader) { return reader.garbage(); });
  }
  Result<std::vector<std::string>> unreferenced(std::vector<std::string> digests) override {
    return read([&](Reader& reader) { return reader.unreferenced(digests); });
  }
  Result<std::vector<std::string>> held_only_by(std::vector<RevisionKey> revisions) override {
    return read([&](Reader& reader) { return reader.held_only_by(revisions); });
  }
  Result<std::set<std::string>> live_digests() override {
    return read([](Reader& reader) { return reader.live_digests(); });
  }
  Status each_step(const std::function<void(Step)>& visit) override;
  Status each_revision(const Outline& outline, const std::function<void(Revision)>& visit) override;
  Result<std::vector<Revision>> open_revisions() override {
    return read([](Reader& reader) { return reader.open_revisions(); });
  }
  Result<std::vector<Step>> all_steps() override {
    return read([](Reader& reader) { return reader.all_steps(); });
  }
  Result<std::vector<Revision>> all_revisions() override {
    return read([](Reader& reader) { return reader.all_revisions(); });
  }

 private:
  std::vector<std::unique_ptr<LastingReader>> make_readers(std::vector<Connection> connections) {
    std::vector<std::unique_ptr<LastingReader>> readers;
    for (auto& connection : connections)
      readers.push_back(std::make_unique<LastingReader>(url_, std::move(connection), options_.read_patience, stopping_));
    return readers;
  }

  template <class Read>
  std::invoke_result_t<Read, Reader&> read(const Read& read) {
    return readers_.borrow()->run(read);
  }

  template <class Kind>
  void push(Kind order) {
    if (auto* writer = writing_.load()) return writer->thread.push(std::move(order));
    tell(order, fail(Code::unavailable, "another server decides: this one can change nothing now"));
  }
  Result<postgres::Session> begin_session(std::chrono::milliseconds patience);
  Status wait_for_lock(std::chrono::milliseconds patience);
  Status tell_rest();

  const std::string url_, address_;
  const PostgresOptions options_;
  std::atomic<bool> stopping_ = false;
  std::atomic<StepId> next_id_ = 0;
  std::function<void(std::span<const Event>)> listener_;
  std::optional<Connection> membership_;  // holds the address; becomes the one that writes
  std::optional<postgres::Follower> follower_;
  ReaderPool<LastingReader> readers_;
  std::atomic<Writer*> writing_ = nullptr;
  std::unique_ptr<Writer> writer_;
};

Status PostgresCatalog::join() {
  membership_.reset();
  LO_ASSIGN(auto connection, Connection::open(url_));
  LO_TRY(postgres::take_address(connection, address_, options_.owner_patience));
  membership_ = std::move(connection);
  return {};
}

// A server that is alone hands nothing on, and takes nothing.
Status PostgresCatalog::check_company() {
  for (auto deadline = steady_clock::now() + options_.owner_patience;; std::this_thread::sleep_for(kPause)) {
    LO_ASSIGN(auto held, postgres::is_held(*membership_));
    LO_ASSIGN(auto epoch, postgres::read_epoch(*membership_));
    if (!held || !epoch.address.empty()) return {};
    if (steady_clock::now() > deadline)
      return fail(Code::conflict, "a server that was started without --advertise holds the catalog (--catalog): stop it first");
  }
}

// Asks again and again: PostgreSQL would note each lock that is waited for in vain in its log.
Status PostgresCatalog::wait_for_lock(std::chrono::milliseconds patience) {
  for (auto deadline = steady_clock::now() + patience;; std::this_thread::sleep_for(kPause)) {
    LO_ASSIGN(auto locked, postgres::try_lock_catalog(*membership_));
    if (locked) return {};
    if (stopping_ || steady_clock::now() > deadline) return fail(Code::conflict, "another server leads");
  }
}

Result<postgres::Session> PostgresCatalog::begin_session(std::chrono::milliseconds patience) {
  if (address_.empty()) return postgres::Session::open(url_, patience);
  if (!membership_ || membership_->lost()) LO_TRY(join());
  LO_TRY(wait_for_lock(patience));
  auto connection = *std::exchange(membership_, std::nullopt);
  return postgres::Session::begin(url_, std::move(connection), address_);
}

Status PostgresCatalog::lead(std::chrono::milliseconds patience) {
  LO_ASSIGN(auto session, begin_session(patience));
  next_id_ = session.epoch() << kBootShift;
  auto writer = std::make_unique<Writer>(std::move(session), options_, stopping_);
  LO_TRY(writer->group_commit.prepare());
  LO_TRY(tell_rest());
  writer->group_commit.listen(listener_);
  writer_ = std::move(writer);
  writing_ = writer_.get();
  return {};
}

// Nobody commits now: what is there is all that the others have left.
Status PostgresCatalog::tell_rest() {
  if (!follower_) return {};
  follower_->stop();
  std::atomic<std::int64_t> told = follower_->told();
  auto told_all = read([&](Reader& reader) { return postgres::tell_news(reader, told, listener_); });
  if (told_all) follower_.reset();
  else follower_.emplace(url_, told, listener_);
  return told_all;
}

Result<SharedCatalog::Leader> PostgresCatalog::leader() {
  LO_ASSIGN(auto epoch, read([](Reader& reader) { return postgres::read_epoch(reader.connection()); }));
  auto* writer = writing_.load();
  return Leader{.address = epoch.address, .is_self = writer != nullptr && writer->group_commit.epoch() == epoch.number};
}

Status PostgresCatalog::each_named(const std::vector<std::string>& names, const Outline& outline, const std::function<void(Step)>& visit_step,
                                   const std::function<void(Revision)>& visit_revision) {
  LO_ASSIGN(auto steps, read([&](Reader& reader) { return reader.steps_named(names); }));
  LO_ASSIGN(auto revisions, read([&](Reader& reader) { return reader.outlines_named(names, outline); }));
  for (auto& step : steps) visit_step(std::move(step));
  for (auto& revision : revisions) visit_revision(std::move(revision));
  return {};
}

// Each page by itself, so that a connection that is lost costs one page.
Status PostgresCatalog::each_step(const std::function<void(Step)>& visit) {
  for (auto last = std::numeric_limits<StepId>::min();;) {
    LO_ASSIGN(auto steps, read([&](Reader& reader) { return reader.steps_after(last, kRowsAtOnce); }));
    if (steps.empty()) return {};
    last = steps.back().id;
    for (auto& step : steps) visit(std::move(step));
  }
}

Status PostgresCatalog::each_revision(const Outline& outline, const std::function<void(Revision)>& visit) {
  for (RevisionKey last{std::numeric_limits<StepId>::min(), 0};;) {
    LO_ASSIGN(auto revisions, read([&](Reader& reader) { return reader.outlines_after(last, outline, kRowsAtOnce); }));
    if (revisions.empty()) return {};
    last = revisions.back().key;
    for (auto& revision : revisions) visit(std::move(revision));
  }
}

Result<std::vector<Connection>> open_readers(const std::string& url) {
  std::vector<Connection> connections;
  for (int i = 0; i < kReaders; ++i) {
    LO_ASSIGN(auto connection, Connection::open(url));
    connections.push_back(std::move(connection));
  }
  return connections;
}

// Tables that are missing or older are made by whoever holds the catalog: for a moment this server.
Status prepare_tables(const std::string& url, const PostgresOptions& options) {
  LO_ASSIGN(auto connection, Connection::open(url));
  LO_ASSIGN(auto version, postgres::schema_version(connection));
  if (version == kPostgresSchemaVersion) return {};
  return postgres::make_tables(url, options.owner_patience);
}

}  // namespace

Result<std::unique_ptr<Catalog>> open_postgres_catalog(const std::string& url, const PostgresOptions& options) {
  LO_ASSIGN(auto connections, open_readers(url));
  auto catalog = std::make_unique<PostgresCatalog>(url, "", options, std::move(connections));
  LO_TRY(catalog->lead(options.owner_patience));
  return catalog;
}

Result<std::unique_ptr<SharedCatalog>> share_postgres_catalog(const std::string& url, const std::string& address, const PostgresOptions& options) {
  LO_TRY(prepare_tables(url, options));
  LO_ASSIGN(auto connections, open_readers(url));
  auto catalog = std::make_unique<PostgresCatalog>(url, address, options, std::move(connections));
  LO_TRY(catalog->join());
  LO_TRY(catalog->check_company());
  return catalog;
}

Result<std::string> postgres_catalog_id(const std::string& url) {
  LO_ASSIGN(auto connection, Connection::open(url));
  LO_ASSIGN(auto made, connection.number("SELECT count(to_regclass('catalog_schema'))"));
  if (made == 0) return fail(Code::not_found, "there is no catalog in this database yet");
  LO_ASSIGN(auto row, connection.query("SELECT id FROM catalog_schema"));
  if (!row.step()) return fail(Code::corrupt, "the catalog is damaged: its table catalog_schema is empty");
  return row.text();
}

}  // namespace lo::catalog
