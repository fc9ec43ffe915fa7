#include "catalog/sqlite/writer.h"

#include <sqlite3.h>

#include <iterator>

#include "catalog/refusals.h"
#include "catalog/records_io.h"

namespace lo::catalog::sqlite {
namespace {

// A change of exactly one row that must exist.
Status one_row(const Result<std::int64_t>& rows, auto refuse) {
  if (!rows) return fail(rows.error());
  return *rows == 0 ? Status(refuse()) : Status{};
}

Status without_count(const Result<std::int64_t>& rows) { return rows ? Status{} : Status(fail(rows.error())); }

}  // namespace

Status Writer::reload() {
  LO_ASSIGN(last_seq_, connection_.number("SELECT coalesce(max(seq), 0) FROM event"));
  return {};
}

Status Writer::apply(const Batch& batch, std::vector<Event>& told) {
  auto seq_before = last_seq_;
  events_.clear();
  LO_TRY(connection_.run("SAVEPOINT batch"));
  auto status = apply_all(batch);
  if (!status) {
    last_seq_ = seq_before;
    if (!connection_.in_transaction()) return status;  // SQLite has taken everything back already
    LO_TRY(connection_.run("ROLLBACK TO batch"));
  }
  LO_TRY(connection_.run("RELEASE batch"));
  if (status) std::ranges::move(events_, std::back_inserter(told));
  return status;
}

Status Writer::apply_all(const Batch& batch) {
  for (const auto& change : batch) LO_TRY(std::visit([this](const auto& one) { return apply_one(one); }, change));
  return {};
}

Result<std::int64_t> Writer::trim(std::int64_t keep) {
  return connection_.run("DELETE FROM event WHERE seq <= ?1", last_seq_ - keep);
}

Status Writer::apply_one(const AddStep& change) {
  const auto& step = change.step;
  auto rows = connection_.run("INSERT INTO step (id, name, service, created, labels) VALUES (?1, ?2, ?3, ?4, ?5)", step.id,
                              step.name, step.service, to_micros(step.created), write_json(step.labels));
  if (rows) return add_labels(step);
  switch (connection_.last_code()) {
    case SQLITE_CONSTRAINT_UNIQUE: return refuse_taken_name(step);
    case SQLITE_CONSTRAINT_PRIMARYKEY: return refuse_taken_id(step.id);
    default: return fail(rows.error());
  }
}

Status Writer::add_labels(const Step& step) {
  for (const auto& label : step.labels)
    LO_TRY(connection_.run("INSERT INTO label (key, value, step) VALUES (?1, ?2, ?3)", std::string_view(label.key()),
                           label_text(label.value()), step.id));
  return {};
}

Status Writer::apply_one(const AddRevision& change) {
  const auto& revision = change.revision;
  auto rows = connection_.run(
      "INSERT INTO revision (step, revision, operation, job, request, parents, state, reason, exception, accepted, started, "
      "ended, attempts, lost, facts, result) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
      revision.key.step, revision.key.revision, revision.operation, revision.job, write_json(revision.request),
      write_parents(revision.parents), to_string(revision.state), to_string(revision.reason), revision.exception,
      to_micros(revision.accepted), optional_micros(revision.started), optional_micros(revision.ended), revision.attempts,
      revision.lost, write_json(revision.facts), write_json(revision.result));
  if (rows) return add_artifacts(revision);
  switch (connection_.last_code()) {
    case SQLITE_CONSTRAINT_FOREIGNKEY: return refuse_unknown_step(revision.key.step);
    case SQLITE_CONSTRAINT_PRIMARYKEY: return refuse_taken_key(revision.key);
    default: return fail(rows.error());
  }
}

Status Writer::apply_one(const UpdateRevision& change) {
  const auto& revision = change.revision;
  auto rows = connection_.run(
      "UPDATE revision SET operation = ?3, job = ?4, request = ?5, parents = ?6, state = ?7, reason = ?8, exception = ?9, "
      "accepted = ?10, started = ?11, ended = ?12, attempts = ?13, lost = ?14, facts = ?15, result = ?16 "
      "WHERE step = ?1 AND revision = ?2 AND state NOT IN ('finished', 'failed', 'cancelled')",
      revision.key.step, revision.key.revision, revision.operation, revision.job, write_json(revision.request),
      write_parents(revision.parents), to_string(revision.state), to_string(revision.reason), revision.exception,
      to_micros(revision.accepted), optional_micros(revision.started), optional_micros(revision.ended), revision.attempts,
      revision.lost, write_json(revision.facts), write_json(revision.result));
  LO_TRY(one_row(rows, [&] { return why_unchanged(revision.key); }));
  return add_artifacts(revision);
}

Status Writer::add_artifacts(const Revision& revision) {
  for (const auto& digest : digests_in(revision))
    LO_TRY(connection_.run("INSERT OR IGNORE INTO artifact (digest, step, revision) VALUES (?1, ?2, ?3)", digest,
                           revision.key.step, revision.key.revision));
  return {};
}

Status Writer::apply_one(const RebindParents& change) {
  auto rows = connection_.run(
      "UPDATE revision SET parents = ?3 "
      "WHERE step = ?1 AND revision = ?2 AND state NOT IN ('finished', 'failed', 'cancelled')",
      change.key.step, change.key.revision, write_parents(change.parents));
  return one_row(rows, [&] { return why_unchanged(change.key); });
}

Result<State> Writer::stored_state(RevisionKey key) {
  LO_ASSIGN(auto stored,
            connection_.query("SELECT state FROM revision WHERE step = ?1 AND revision = ?2", key.step, key.revision));
  LO_ASSIGN(auto found, stored.step());
  if (!found) return refuse_unknown_revision(key);
  return parse_state(stored.text()).value_or(State::finished);
}

Status Writer::why_unchanged(RevisionKey key) {
  LO_ASSIGN(auto state, stored_state(key));
  return refuse_terminal(key, state);
}

Status Writer::apply_one(const PutAttempt& change) {
  const auto& attempt = change.attempt;
  auto rows = connection_.run(
      "INSERT INTO attempt (step, revision, number, token, started, ended, state, reason, exception, message, cpu_seconds, "
      "peak_memory) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (step, revision, number) "
      "DO UPDATE SET token = ?4, started = ?5, ended = ?6, state = ?7, reason = ?8, exception = ?9, message = ?10, "
      "cpu_seconds = ?11, peak_memory = ?12",
      attempt.key.step, attempt.key.revision, attempt.number, attempt.token, to_micros(attempt.started),
      optional_micros(attempt.ended), to_string(attempt.state), to_string(attempt.reason), attempt.exception,
      attempt.message, attempt.cpu_seconds, attempt.peak_memory);
  if (!rows && connection_.last_code() == SQLITE_CONSTRAINT_FOREIGNKEY) return refuse_unknown_revision(attempt.key);
  return without_count(rows);
}

Status Writer::apply_one(const AddEvent& change) {
  auto& event = events_.emplace_back(change.event);
  event.seq = ++last_seq_;
  return without_count(connection_.run(
      "INSERT INTO event (seq, at, name, service, revision, type, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", event.seq,
      to_micros(event.at), event.name, event.service, event.revision, event.type, write_json(event.data)));
}

Status Writer::apply_one(const RemoveStep& change) {
  return one_row(connection_.run("DELETE FROM step WHERE id = ?1", change.id),
                 [&] { return refuse_unknown_step(change.id); });
}

Status Writer::apply_one(const RemoveRevision& change) {
  LO_ASSIGN(auto state, stored_state(change.key));
  if (!is_terminal(state)) return refuse_open(change.key);
  return without_count(
      connection_.run("DELETE FROM revision WHERE step = ?1 AND revision = ?2", change.key.step, change.key.revision));
}

Status Writer::apply_one(const PutSubscription& change) {
  const auto& subscription = change.subscription;
  return without_count(connection_.run(
      "INSERT INTO subscription (name, created, options) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (name) DO UPDATE SET created = ?2, options = ?3",
      subscription.name, to_micros(subscription.created), write_json(subscription.options)));
}

Status Writer::apply_one(const RemoveSubscription& change) {
  return one_row(connection_.run("DELETE FROM subscription WHERE name = ?1", change.name),
                 [&] { return refuse_unknown_subscription(change.name); });
}

Status Writer::apply_one(const PutWorkflow& change) {
  const auto& workflow = change.workflow;
  return without_count(connection_.run(
      "INSERT INTO workflow (name, created, changed, steps, document) VALUES (?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT (name) DO UPDATE SET created = ?2, changed = ?3, steps = ?4, document = ?5",
      workflow.name, to_micros(workflow.created), to_micros(workflow.changed), write_json(json::value_from(workflow.steps)),
      write_json(workflow.document)));
}

Status Writer::apply_one(const RemoveWorkflow& change) {
  return one_row(connection_.run("DELETE FROM workflow WHERE name = ?1", change.name),
                 [&] { return refuse_unknown_workflow(change.name); });
}

Status Writer::apply_one(const PutReceipt& change) {
  const auto& receipt = change.receipt;
  return without_count(connection_.run(
      "INSERT INTO receipt (key, request, created, answer) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (key) DO UPDATE SET request = ?2, created = ?3, answer = ?4",
      receipt.key, receipt.request, to_micros(receipt.created), write_json(receipt.answer)));
}

Status Writer::apply_one(const ForgetReceipts& change) {
  return without_count(connection_.run("DELETE FROM receipt WHERE created < ?1", to_micros(change.before)));
}

Status Writer::apply_one(const ForgetGarbage& change) {
  for (const auto& digest : change.digests)
    LO_TRY(connection_.run("DELETE FROM garbage WHERE digest = ?1", digest));
  return {};
}

}  // namespace lo::catalog::sqlite
