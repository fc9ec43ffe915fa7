#include "catalog/postgres/changes.h"

#include "catalog/records_io.h"
#include "catalog/refusals.h"

namespace lo::catalog::postgres {
namespace {

constexpr std::string_view kUnique = "23505";      // unique_violation
constexpr std::string_view kForeignKey = "23503";  // foreign_key_violation

// For a change of exactly one row that must exist.
auto one_row(auto refuse) {
  return [refuse](Answer& answer) -> Status {
    LO_TRY(answer.status());
    if (answer.changed() == 0) return refuse();
    return {};
  };
}

// For a change of a revision that must exist, in a state that allows it: the answer is the state before, and how many rows changed.
auto one_revision(RevisionKey key, auto refuse_state) {
  return [key, refuse_state](Answer& answer) -> Status {
    LO_TRY(answer.status());
    auto before = answer.step() ? answer.text() : "";
    if (before.empty()) return refuse_unknown_revision(key);
    if (answer.integer() == 0) return refuse_state(key, parse_state(before).value_or(State::finished));
    return {};
  };
}

// What usage adds up: [[digest, bytes], …] of the upload and of the parts, inline ones too.
std::string write_sizes(const Revision& revision) {
  json::array sizes;
  auto add = [&](const json::value& part) {
    const auto* object = part.if_object();
    const auto* digest = object == nullptr ? nullptr : object->if_contains("digest");
    const auto* bytes = object == nullptr ? nullptr : object->if_contains("bytes");
    if (bytes != nullptr && bytes->is_int64())
      sizes.push_back(json::array{digest != nullptr && digest->is_string() ? *digest : json::value(), *bytes});
  };
  const auto* upload = revision.request.if_contains("upload");
  if (upload != nullptr && upload->is_object() && upload->get_object().contains("digest")) add(*upload);
  if (const auto* parts = revision.result.if_contains("parts"); parts != nullptr && parts->is_array())
    for (const auto& part : parts->get_array()) add(part);
  return write_json(sizes);
}

// $1 step, $2 revision, then the other columns in their order.
std::vector<Parameter> columns_of(const Revision& revision) {
  return {revision.key.step,
          revision.key.revision,
          revision.operation,
          revision.job,
          write_json(revision.request),
          write_parents(revision.parents),
          to_string(revision.state),
          to_string(revision.reason),
          Bytes{revision.exception},
          to_micros(revision.accepted),
          optional_micros(revision.started),
          optional_micros(revision.ended),
          revision.attempts,
          revision.lost,
          write_json(revision.facts),
          write_json(revision.result),
          write_sizes(revision)};
}

class Translation {
 public:
  Translation(std::int64_t& last_seq, std::vector<Command>& commands, std::vector<Event>& told)
      : last_seq_(last_seq), commands_(commands), told_(told) {}

  void add(const AddStep& change);
  void add(const AddRevision& change);
  void add(const UpdateRevision& change);
  void add(const RebindParents& change);
  void add(const PutAttempt& change);
  void add(const AddEvent& change);
  void add(const RemoveStep& change);
  void add(const RemoveRevision& change);
  void add(const PutSubscription& change);
  void add(const RemoveSubscription& change);
  void add(const PutWorkflow& change);
  void add(const RemoveWorkflow& change);
  void add(const PutReceipt& change);
  void add(const ForgetReceipts& change);
  void add(const ForgetGarbage& change);

 private:
  void command(std::string sql, std::vector<Parameter> parameters) {
    commands_.push_back({.sql = std::move(sql), .parameters = std::move(parameters)});
  }
  void command(std::string sql, std::vector<Parameter> parameters, std::function<Status(Answer&)> check) {
    commands_.push_back({.sql = std::move(sql), .parameters = std::move(parameters), .check = std::move(check)});
  }
  void add_artifacts(const Revision& revision);

  std::int64_t& last_seq_;
  std::vector<Command>& commands_;
  std::vector<Event>& told_;
};

void Translation::add(const AddStep& change) {
  const auto& step = change.step;
  auto check = [id = step.id, name = step.name](Answer& answer) -> Status {
    if (answer.sqlstate() == kUnique && answer.constraint() == "step_id") return refuse_taken_id(id);
    if (answer.sqlstate() == kUnique) return refuse_taken_name({.name = name});
    return answer.status();
  };
  command("INSERT INTO step (id, name, service, created, labels) VALUES ($1, $2, $3, $4, $5)",
          {step.id, step.name, step.service, to_micros(step.created), write_json(step.labels)}, check);
  for (const auto& label : step.labels)
    command("INSERT INTO label (key, value, step) VALUES ($1, $2, $3)",
            {Bytes{label.key()}, Bytes{label_text(label.value())}, step.id});
}

void Translation::add(const AddRevision& change) {
  auto check = [key = change.revision.key](Answer& answer) -> Status {
    if (answer.sqlstate() == kForeignKey) return refuse_unknown_step(key.step);
    if (answer.sqlstate() == kUnique) return refuse_taken_key(key);
    return answer.status();
  };
  command("INSERT INTO revision (step, revision, operation, job, request, parents, state, reason, exception, accepted, started, ended, attempts, lost, "
          "facts, result, sizes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
          columns_of(change.revision), check);
  add_artifacts(change.revision);
}

void Translation::add(const UpdateRevision& change) {
  command("WITH stored AS (SELECT state FROM revision WHERE step = $1 AND revision = $2), "
          "changed AS (UPDATE revision SET operation = $3, job = $4, request = $5, parents = $6, state = $7, reason = $8, exception = $9, "
          "accepted = $10, started = $11, ended = $12, attempts = $13, lost = $14, facts = $15, result = $16, sizes = $17 "
          "WHERE step = $1 AND revision = $2 AND state NOT IN ('finished', 'failed', 'cancelled') RETURNING 1) "
          "SELECT (SELECT state FROM stored), (SELECT count(*) FROM changed)",
          columns_of(change.revision), one_revision(change.revision.key, refuse_terminal));
  add_artifacts(change.revision);
}

void Translation::add_artifacts(const Revision& revision) {
  for (auto& digest : digests_in(revision))
    command("INSERT INTO artifact (digest, step, revision) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            {std::move(digest), revision.key.step, revision.key.revision});
}

void Translation::add(const RebindParents& change) {
  command("WITH stored AS (SELECT state FROM revision WHERE step = $1 AND revision = $2), "
          "changed AS (UPDATE revision SET parents = $3 "
          "WHERE step = $1 AND revision = $2 AND state NOT IN ('finished', 'failed', 'cancelled') RETURNING 1) "
          "SELECT (SELECT state FROM stored), (SELECT count(*) FROM changed)",
          {change.key.step, change.key.revision, write_parents(change.parents)}, one_revision(change.key, refuse_terminal));
}

void Translation::add(const PutAttempt& change) {
  const auto& attempt = change.attempt;
  auto check = [key = attempt.key](Answer& answer) -> Status {
    if (answer.sqlstate() == kForeignKey) return refuse_unknown_revision(key);
    return answer.status();
  };
  command("INSERT INTO attempt (step, revision, number, token, started, ended, state, reason, exception, message, cpu_seconds, peak_memory) "
          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (step, revision, number) "
          "DO UPDATE SET token = $4, started = $5, ended = $6, state = $7, reason = $8, exception = $9, message = $10, "
          "cpu_seconds = $11, peak_memory = $12",
          {attempt.key.step, attempt.key.revision, attempt.number, attempt.token, to_micros(attempt.started), optional_micros(attempt.ended),
           to_string(attempt.state), to_string(attempt.reason), Bytes{attempt.exception}, Bytes{attempt.message}, attempt.cpu_seconds,
           attempt.peak_memory},
          check);
}

void Translation::add(const AddEvent& change) {
  auto& event = told_.emplace_back(change.event);
  event.seq = ++last_seq_;
  command("INSERT INTO event (seq, at, name, service, revision, type, data) VALUES ($1, $2, $3, $4, $5, $6, $7)",
          {event.seq, to_micros(event.at), event.name, event.service, event.revision, event.type, write_json(event.data)});
}

void Translation::add(const RemoveStep& change) {
  command("DELETE FROM step WHERE id = $1", {change.id}, one_row([id = change.id] { return refuse_unknown_step(id); }));
}

void Translation::add(const RemoveRevision& change) {
  command("WITH stored AS (SELECT state FROM revision WHERE step = $1 AND revision = $2), "
          "changed AS (DELETE FROM revision WHERE step = $1 AND revision = $2 AND state IN ('finished', 'failed', 'cancelled') RETURNING 1) "
          "SELECT (SELECT state FROM stored), (SELECT count(*) FROM changed)",
          {change.key.step, change.key.revision}, one_revision(change.key, [](RevisionKey key, State) { return refuse_open(key); }));
}

void Translation::add(const PutSubscription& change) {
  const auto& subscription = change.subscription;
  command("INSERT INTO subscription (name, created, options) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET created = $2, options = $3",
          {subscription.name, to_micros(subscription.created), write_json(subscription.options)});
}

void Translation::add(const RemoveSubscription& change) {
  command("DELETE FROM subscription WHERE name = $1", {change.name}, one_row([name = change.name] { return refuse_unknown_subscription(name); }));
}

void Translation::add(const PutWorkflow& change) {
  const auto& workflow = change.workflow;
  command("INSERT INTO workflow (name, created, changed, steps, document) VALUES ($1, $2, $3, $4, $5) "
          "ON CONFLICT (name) DO UPDATE SET created = $2, changed = $3, steps = $4, document = $5",
          {workflow.name, to_micros(workflow.created), to_micros(workflow.changed), write_json(json::value_from(workflow.steps)),
           write_json(workflow.document)});
}

void Translation::add(const RemoveWorkflow& change) {
  command("DELETE FROM workflow WHERE name = $1", {change.name}, one_row([name = change.name] { return refuse_unknown_workflow(name); }));
}

void Translation::add(const PutReceipt& change) {
  const auto& receipt = change.receipt;
  command("INSERT INTO receipt (key, request, created, answer) VALUES ($1, $2, $3, $4) "
          "ON CONFLICT (key) DO UPDATE SET request = $2, created = $3, answer = $4",
          {Bytes{receipt.key}, receipt.request, to_micros(receipt.created), write_json(receipt.answer)});
}

void Translation::add(const ForgetReceipts& change) { command("DELETE FROM receipt WHERE created < $1", {to_micros(change.before)}); }

void Translation::add(const ForgetGarbage& change) {
  for (const auto& digest : change.digests) command("DELETE FROM garbage WHERE digest = $1", {digest});
}

}  // namespace

void append_commands(const Batch& batch, std::int64_t& last_seq, std::vector<Command>& commands, std::vector<Event>& told) {
  Translation translation(last_seq, commands, told);
  for (const auto& change : batch) std::visit([&](const auto& one) { translation.add(one); }, change);
}

Command trim_command(std::int64_t seq, std::int64_t& gone) {
  return {.sql = "DELETE FROM event WHERE seq <= $1", .parameters = {seq}, .check = [&gone](Answer& answer) {
            gone = answer.changed();
            return answer.status();
          }};
}

}  // namespace lo::catalog::postgres
