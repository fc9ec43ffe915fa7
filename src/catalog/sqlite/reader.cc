#include "catalog/sqlite/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/records_io.h"

namespace lo::catalog::sqlite {
namespace {

// All rows, or the first `limit` that `wanted` lets through.
template <class T>
Result<std::vector<T>> collect(
    Query& rows, Result<T> (*read)(Row&), auto wanted, std::size_t limit = static_cast<std::size_t>(-1)) {
  std::vector<T> out;
  while (out.size() < limit) {
    LO_ASSIGN(auto more, rows.step());
    if (!more) break;
    LO_ASSIGN(auto record, read(rows));
    if (wanted(record)) out.push_back(std::move(record));
  }
  return out;
}

template <class T>
Result<std::vector<T>> collect(Query& rows, Result<T> (*read)(Row&)) {
  return collect(rows, read, [](const T&) { return true; });
}

template <class T>
Result<std::optional<T>> first(Query& rows, Result<T> (*read)(Row&)) {
  LO_ASSIGN(auto found, rows.step());
  if (!found) return std::nullopt;
  LO_ASSIGN(auto record, read(rows));
  return std::optional(std::move(record));
}

Result<std::string> read_digest(Row& row) { return std::string(row.text()); }

// What leads a list, each with its index and in the order of steps: a label; a state, unless it is one that nearly all have and a label is
// asked for, too; else the steps themselves. ?1 service, ?2 state, ?3 and ?4 label, ?5 limit, ?6 skip, ?7 from.
struct ListPlan {
  std::string from;
  std::vector<std::string> where;
  std::string id;
};

ListPlan lead(const StepFilter& filter) {
  if (!filter.label_key.empty() && (!filter.state || is_terminal(*filter.state)))
    return {.from = "label JOIN step ON step.id = label.step", .where = {"label.key = ?3"}, .id = "label.step"};
  if (filter.state)
    return {.from = "revision JOIN step ON step.id = revision.step",
            .where = {"revision.state = ?2", "NOT EXISTS (SELECT 1 FROM revision AS newer WHERE newer.step = revision.step AND "
                                             "newer.revision > revision.revision)"},
            .id = "revision.step"};
  return {.from = "step", .where = {}, .id = "step.id"};
}

std::string list_sql(const StepFilter& filter) {
  auto plan = lead(filter);
  auto& where = plan.where;
  auto label_leads = plan.id == "label.step";
  if (label_leads && !filter.label_value.empty()) where.emplace_back("label.value = ?4");
  if (label_leads && filter.state)
    where.emplace_back("?2 = (SELECT state FROM revision WHERE revision.step = step.id ORDER BY revision DESC LIMIT 1)");
  if (!label_leads && !filter.label_key.empty())
    where.emplace_back("EXISTS (SELECT 1 FROM label WHERE label.step = step.id AND label.key = ?3 AND (?4 = '' OR label.value = ?4))");
  if (!filter.service.empty()) where.emplace_back("step.service = ?1");
  if (filter.typed_in_place) where.emplace_back("step.id IN (SELECT step FROM revision WHERE operation = 'transform/dataType')");
  where.push_back(plan.id + " >= ?7");
  return fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT ?5 OFFSET ?6", kStepColumns, plan.from, fmt::join(where, " AND "), plan.id);
}

// ?1 the label. A part of a result that several revisions of one owner share counts once.
constexpr const char* kUsageSql = R"sql(
WITH
  owner AS (SELECT step.id AS step, coalesce(label.value, '') AS value
            FROM step LEFT JOIN label ON label.step = step.id AND label.key = ?1),
  steps AS (SELECT value, count(*) AS steps FROM owner GROUP BY value),
  revisions AS (SELECT value, count(*) AS revisions FROM owner JOIN revision USING (step) GROUP BY value),
  attempts AS (SELECT value, count(*) AS attempts, sum(cpu_seconds) AS cpu_seconds, max(peak_memory) AS peak_memory
               FROM owner JOIN attempt USING (step) GROUP BY value),
  parts AS (SELECT owner.value, json_extract(part.value, '$.digest') AS digest, json_extract(part.value, '$.bytes') AS bytes
            FROM owner JOIN revision USING (step), json_each(revision.result, '$.parts') AS part
            UNION
            SELECT value, json_extract(request, '$.upload.digest'), json_extract(request, '$.upload.bytes')
            FROM owner JOIN revision USING (step) WHERE json_extract(request, '$.upload.digest') IS NOT NULL),
  stored AS (SELECT value, sum(bytes) AS bytes FROM parts GROUP BY value)
SELECT value, steps, coalesce(revisions, 0), coalesce(attempts, 0), coalesce(cpu_seconds, 0.0), coalesce(peak_memory, 0),
       coalesce(bytes, 0)
FROM steps LEFT JOIN revisions USING (value) LEFT JOIN attempts USING (value) LEFT JOIN stored USING (value)
ORDER BY value
)sql";

std::string revision_sql(std::string_view columns_after, std::string_view rest) {
  return fmt::format("SELECT {}{} FROM revision JOIN step ON step.id = revision.step {}", kRevisionColumns, columns_after,
                     rest);
}

}  // namespace

Result<std::optional<Step>> Reader::find_step(std::string_view name) {
  LO_ASSIGN(auto rows, connection_.query(fmt::format("SELECT {} FROM step WHERE name = ?1", kStepColumns), name));
  return first(rows, read_step);
}

Result<std::vector<Step>> Reader::list_steps(const StepFilter& filter, StepId from) {
  auto state = filter.state ? to_string(*filter.state) : std::string_view();
  LO_ASSIGN(auto rows, connection_.query(list_sql(filter), filter.service, state, filter.label_key, filter.label_value,
                                         std::max<std::int64_t>(0, filter.limit), std::max<std::int64_t>(0, filter.skip), from));
  return collect(rows, read_step);
}

Status Reader::each_step_id(const std::function<void(std::string_view service, StepId id)>& visit) {
  LO_ASSIGN(auto rows, connection_.query("SELECT service, id FROM step INDEXED BY step_by_service ORDER BY service, id"));
  for (;;) {
    LO_ASSIGN(auto more, rows.step());
    if (!more) return {};
    auto service = rows.text();
    visit(service, rows.integer());
  }
}

Result<std::optional<Revision>> Reader::revision(RevisionKey key) {
  auto sql = revision_sql(", revision.result", "WHERE revision.step = ?1 AND revision.revision = ?2");
  LO_ASSIGN(auto rows, connection_.query(sql, key.step, key.revision));
  return first(rows, read_revision_and_result);
}

Result<std::vector<Revision>> Reader::revisions(StepId step) {
  auto sql = revision_sql(", revision.result", "WHERE revision.step = ?1 ORDER BY revision.revision");
  LO_ASSIGN(auto rows, connection_.query(sql, step));
  return collect(rows, read_revision_and_result);
}

Result<std::vector<Attempt>> Reader::attempts(StepId step) {
  auto sql = fmt::format("SELECT {} FROM attempt WHERE step = ?1 ORDER BY revision, number", kAttemptColumns);
  LO_ASSIGN(auto rows, connection_.query(sql, step));
  return collect(rows, read_attempt);
}

Result<std::vector<Event>> Reader::events_after(std::int64_t seq, const EventFilter& filter, int limit) {
  auto sql = fmt::format("SELECT {} FROM event WHERE seq > ?1{} ORDER BY seq", kEventColumns,
                         filter.name.empty() ? " AND ?2 = ''" : " AND name = ?2");
  LO_ASSIGN(auto rows, connection_.query(sql, seq, filter.name));
  return collect(rows, read_event, [&](const Event& event) { return filter.matches(event); },
                 static_cast<std::size_t>(std::max(0, limit)));
}

Result<std::int64_t> Reader::last_event() { return connection_.number("SELECT coalesce(max(seq), 0) FROM event"); }

Result<std::int64_t> Reader::first_event() { return connection_.number("SELECT coalesce(min(seq), 0) FROM event"); }

Result<std::vector<Subscription>> Reader::subscriptions() {
  auto sql = fmt::format("SELECT {} FROM subscription ORDER BY name", kSubscriptionColumns);
  LO_ASSIGN(auto rows, connection_.query(sql));
  return collect(rows, read_subscription);
}

Result<std::optional<Workflow>> Reader::find_workflow(std::string_view name) {
  LO_ASSIGN(auto rows, connection_.query(fmt::format("SELECT {} FROM workflow WHERE name = ?1", kWorkflowColumns), name));
  return first(rows, read_workflow);
}

Result<std::vector<Workflow>> Reader::list_workflows(std::int64_t limit, std::int64_t skip) {
  auto sql = fmt::format("SELECT {} FROM workflow ORDER BY created, name LIMIT ?1 OFFSET ?2", kWorkflowColumns);
  LO_ASSIGN(auto rows, connection_.query(sql, std::max<std::int64_t>(0, limit), std::max<std::int64_t>(0, skip)));
  return collect(rows, read_workflow);
}

Result<std::optional<Receipt>> Reader::find_receipt(std::string_view key) {
  LO_ASSIGN(auto rows, connection_.query(fmt::format("SELECT {} FROM receipt WHERE key = ?1", kReceiptColumns), key));
  return first(rows, read_receipt);
}

Result<std::vector<Receipt>> Reader::receipts_after(std::string_view key, std::int64_t limit) {
  LO_ASSIGN(auto rows, connection_.query(fmt::format("SELECT {} FROM receipt WHERE key > ?1 ORDER BY key LIMIT ?2", kReceiptColumns), key, limit));
  return collect(rows, read_receipt);
}

Result<std::vector<Usage>> Reader::usage(std::string_view label) {
  LO_ASSIGN(auto rows, connection_.query(kUsageSql, label));
  return collect(rows, read_usage);
}

Result<std::vector<std::string>> Reader::garbage() {
  LO_ASSIGN(auto rows, connection_.query("SELECT digest FROM garbage ORDER BY digest"));
  return collect(rows, read_digest);
}

Result<std::vector<std::string>> Reader::unreferenced(std::vector<std::string> digests) {
  std::vector<std::string> out;
  for (auto& digest : digests) {
    LO_ASSIGN(auto rows, connection_.query("SELECT 1 FROM artifact WHERE digest = ?1 LIMIT 1", digest));
    LO_ASSIGN(auto found, rows.step());
    if (!found) out.push_back(std::move(digest));
  }
  return out;
}

Result<std::vector<std::string>> Reader::held_only_by(const std::vector<RevisionKey>& revisions) {
  std::set<RevisionKey> theirs(revisions.begin(), revisions.end());
  std::set<std::string> seen;
  std::vector<std::string> out;
  for (auto key : theirs) {
    LO_ASSIGN(auto rows, connection_.query("SELECT digest FROM artifact WHERE step = ?1 AND revision = ?2", key.step, key.revision));
    LO_ASSIGN(auto digests, collect(rows, read_digest));
    for (auto& digest : digests) {
      if (!seen.insert(digest).second) continue;
      LO_ASSIGN(auto shared, held_by_others(digest, theirs));
      if (!shared) out.push_back(std::move(digest));
    }
  }
  std::ranges::sort(out);
  return out;
}

Result<bool> Reader::held_by_others(const std::string& digest, const std::set<RevisionKey>& revisions) {
  LO_ASSIGN(auto rows, connection_.query("SELECT step, revision FROM artifact WHERE digest = ?1", digest));
  for (;;) {
    LO_ASSIGN(auto more, rows.step());
    if (!more) return false;
    RevisionKey key{.step = rows.integer(), .revision = 0};
    key.revision = static_cast<int>(rows.integer());
    if (!revisions.contains(key)) return true;
  }
}

Result<std::set<std::string>> Reader::live_digests() {
  LO_ASSIGN(auto rows, connection_.query("SELECT DISTINCT digest FROM artifact"));
  LO_ASSIGN(auto digests, collect(rows, read_digest));
  return std::set<std::string>(digests.begin(), digests.end());
}

Result<std::vector<StepId>> Reader::step_samples(std::int64_t every) {
  LO_ASSIGN(auto last, last_revision_row());
  std::set<StepId> samples;
  for (auto row = every; row <= last; row += every) {
    LO_ASSIGN(auto rows, connection_.query("SELECT step FROM revision WHERE rowid >= ?1 LIMIT 1", row));
    LO_ASSIGN(auto found, rows.step());
    if (found) samples.insert(rows.integer());
  }
  return std::vector<StepId>(samples.begin(), samples.end());
}

Result<std::vector<Step>> Reader::steps_between(StepId first, StepId end) {
  LO_ASSIGN(auto rows, connection_.query(fmt::format("SELECT {} FROM step WHERE id >= ?1 AND id < ?2", kStepColumns), first, end));
  return collect(rows, read_step);
}

Result<std::int64_t> Reader::last_revision_row() { return connection_.number("SELECT coalesce(max(rowid), 0) FROM revision"); }

Result<std::vector<Revision>> Reader::outlines(const Outline& outline, std::int64_t first_row, std::int64_t end_row) {
  auto sql = fmt::format("SELECT {} FROM revision WHERE rowid >= ?1 AND rowid < ?2", kOutlineColumns);
  LO_ASSIGN(auto rows, connection_.query(sql, first_row, end_row));
  OutlineReader reader(outline);
  std::vector<Revision> revisions;
  for (;;) {
    LO_ASSIGN(auto more, rows.step());
    if (!more) return revisions;
    LO_ASSIGN(auto revision, reader.read(rows));
    revisions.push_back(std::move(revision));
  }
}

Result<std::vector<Revision>> Reader::open_revisions() {
  auto sql = revision_sql("", "WHERE revision.state IN ('waiting', 'scheduled', 'queued', 'running') ORDER BY revision.step, revision.revision");
  LO_ASSIGN(auto rows, connection_.query(sql));
  return collect(rows, read_revision);
}

Result<std::vector<Step>> Reader::all_steps() {
  LO_ASSIGN(auto rows, connection_.query(fmt::format("SELECT {} FROM step ORDER BY id", kStepColumns)));
  return collect(rows, read_step);
}

Result<std::vector<Revision>> Reader::all_revisions() {
  LO_ASSIGN(auto rows, connection_.query(revision_sql("", "ORDER BY revision.step, revision.revision")));
  return collect(rows, read_revision);
}

}  // namespace lo::catalog::sqlite
