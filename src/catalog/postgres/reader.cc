#include "catalog/postgres/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/records_io.h"

namespace lo::catalog::postgres {
namespace {

template <class T>
Result<std::vector<T>> collect(Result<Answer> rows, Result<T> (*read)(Row&)) {
  if (!rows) return std::unexpected(std::move(rows).error());
  std::vector<T> out;
  while (rows->step()) {
    LO_ASSIGN(auto record, read(*rows));
    out.push_back(std::move(record));
  }
  return out;
}

template <class T>
Result<std::optional<T>> first(Result<Answer> rows, Result<T> (*read)(Row&)) {
  if (!rows) return std::unexpected(std::move(rows).error());
  if (!rows->step()) return std::nullopt;
  LO_ASSIGN(auto record, read(*rows));
  return std::optional(std::move(record));
}

Result<std::string> read_digest(Row& row) { return row.text(); }

constexpr const char* kNames = "SELECT json_array_elements_text($1::json)";

std::string list_of(const std::vector<std::string>& names) { return write_json(json::array(names.begin(), names.end())); }

Result<std::vector<Revision>> read_outlines(Result<Answer> rows, const Outline& outline) {
  if (!rows) return std::unexpected(std::move(rows).error());
  OutlineReader reader(outline);
  std::vector<Revision> revisions;
  while (rows->step()) {
    LO_ASSIGN(auto revision, reader.read(*rows));
    revisions.push_back(std::move(revision));
  }
  return revisions;
}

// What leads a list, each with its index and in the order of steps: a label; a state, unless it is one that nearly all have and a label is
// asked for, too; else the steps themselves. $1 service, $2 state, $3 and $4 label, $5 limit, $6 skip.
struct ListPlan {
  std::string from;
  std::vector<std::string> where;
  std::string id;
};

ListPlan lead(const StepFilter& filter) {
  if (!filter.label_key.empty() && (!filter.state || is_terminal(*filter.state)))
    return {.from = "label JOIN step ON step.id = label.step", .where = {"label.key = $3"}, .id = "label.step"};
  if (filter.state)
    return {.from = "revision JOIN step ON step.id = revision.step",
            .where = {"revision.state = $2", "NOT EXISTS (SELECT 1 FROM revision AS newer WHERE newer.step = revision.step AND "
                                             "newer.revision > revision.revision)"},
            .id = "revision.step"};
  return {.from = "step", .where = {"true"}, .id = "step.id"};
}

std::string list_sql(const StepFilter& filter) {
  auto plan = lead(filter);
  auto& where = plan.where;
  auto label_leads = plan.id == "label.step";
  if (label_leads && !filter.label_value.empty()) where.emplace_back("label.value = $4");
  if (label_leads && filter.state)
    where.emplace_back("$2 = (SELECT state FROM revision WHERE revision.step = step.id ORDER BY revision.revision DESC LIMIT 1)");
  if (!label_leads && !filter.label_key.empty())
    where.emplace_back("EXISTS (SELECT 1 FROM label WHERE label.step = step.id AND label.key = $3 AND ($4 = ''::bytea OR label.value = $4))");
  if (!filter.service.empty()) where.emplace_back("step.service = $1");
  if (filter.typed_in_place) where.emplace_back("step.id IN (SELECT step FROM revision WHERE operation = 'transform/dataType')");
  return fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT $5 OFFSET $6", kStepColumns, plan.from, fmt::join(where, " AND "), plan.id);
}

// $1 the label. A part of a result that several revisions of one owner share counts once.
constexpr const char* kUsageSql = R"sql(
WITH
  holder AS (SELECT step.id AS step, coalesce(label.value, '') AS value
             FROM step LEFT JOIN label ON label.step = step.id AND label.key = $1),
  steps AS (SELECT value, count(*) AS steps FROM holder GROUP BY value),
  revisions AS (SELECT value, count(*) AS revisions FROM holder JOIN revision USING (step) GROUP BY value),
  attempts AS (SELECT value, count(*) AS attempts, sum(cpu_seconds) AS cpu_seconds, max(peak_memory) AS peak_memory
               FROM holder JOIN attempt USING (step) GROUP BY value),
  parts AS (SELECT DISTINCT holder.value, part.value ->> 0 AS digest, (part.value ->> 1)::bigint AS bytes
            FROM holder JOIN revision USING (step), json_array_elements(revision.sizes::json) AS part),
  stored AS (SELECT value, sum(bytes)::bigint AS bytes FROM parts GROUP BY value)
SELECT value, steps, coalesce(revisions, 0), coalesce(attempts, 0), coalesce(cpu_seconds, 0), coalesce(peak_memory, 0), coalesce(bytes, 0)
FROM steps LEFT JOIN revisions USING (value) LEFT JOIN attempts USING (value) LEFT JOIN stored USING (value)
ORDER BY value
)sql";

std::string revision_sql(std::string_view columns_after, std::string_view rest) {
  return fmt::format("SELECT {}{} FROM revision JOIN step ON step.id = revision.step {}", kRevisionColumns, columns_after,
                     rest);
}

}  // namespace

Result<std::optional<Step>> Reader::find_step(std::string_view name) {
  return first(connection_.query(fmt::format("SELECT {} FROM step WHERE name = $1", kStepColumns), name), read_step);
}

Result<std::vector<Step>> Reader::list_steps(const StepFilter& filter) {
  auto state = filter.state ? to_string(*filter.state) : std::string_view();
  return collect(connection_.query(list_sql(filter), filter.service, state, Bytes{filter.label_key}, Bytes{filter.label_value},
                                   std::max<std::int64_t>(0, filter.limit), std::max<std::int64_t>(0, filter.skip)),
                 read_step);
}

Result<std::optional<Revision>> Reader::revision(RevisionKey key) {
  auto sql = revision_sql(", revision.result", "WHERE revision.step = $1 AND revision.revision = $2");
  return first(connection_.query(sql, key.step, key.revision), read_revision_and_result);
}

Result<std::vector<Revision>> Reader::revisions(StepId step) {
  auto sql = revision_sql(", revision.result", "WHERE revision.step = $1 ORDER BY revision.revision");
  return collect(connection_.query(sql, step), read_revision_and_result);
}

Result<std::vector<Attempt>> Reader::attempts(StepId step) {
  auto sql = fmt::format("SELECT {} FROM attempt WHERE step = $1 ORDER BY revision, number", kAttemptColumns);
  return collect(connection_.query(sql, step), read_attempt);
}

// In pages: what filters by labels does not know how many rows it has to look at, and all rows of an answer are in memory.
Result<std::vector<Event>> Reader::events_after(std::int64_t seq, const EventFilter& filter, int limit) {
  constexpr std::int64_t kPage = 1000;
  auto sql = fmt::format("SELECT {} FROM event WHERE seq > $1{}{} ORDER BY seq LIMIT $4", kEventColumns, filter.name.empty() ? "" : " AND name = $2",
                         filter.service.empty() ? "" : " AND service = $3");
  auto wanted = static_cast<std::size_t>(std::max(0, limit));
  auto page = filter.label_key.empty() ? std::min<std::int64_t>(kPage, std::max(0, limit)) : kPage;
  std::vector<Event> out;
  while (out.size() < wanted) {
    LO_ASSIGN(auto events, collect(connection_.query(sql, seq, filter.name, filter.service, page), read_event));
    for (auto& event : events) {
      seq = event.seq;
      if (out.size() < wanted && filter.matches(event)) out.push_back(std::move(event));
    }
    if (static_cast<std::int64_t>(events.size()) < page) break;
  }
  return out;
}

Result<std::int64_t> Reader::last_event() { return connection_.number("SELECT coalesce(max(seq), 0) FROM event"); }

Result<std::int64_t> Reader::first_event() { return connection_.number("SELECT coalesce(min(seq), 0) FROM event"); }

Result<std::vector<Subscription>> Reader::subscriptions() {
  return collect(connection_.query(fmt::format("SELECT {} FROM subscription ORDER BY name", kSubscriptionColumns)), read_subscription);
}

Result<std::optional<Workflow>> Reader::find_workflow(std::string_view name) {
  return first(connection_.query(fmt::format("SELECT {} FROM workflow WHERE name = $1", kWorkflowColumns), name), read_workflow);
}

Result<std::vector<Workflow>> Reader::list_workflows(std::int64_t limit, std::int64_t skip) {
  auto sql = fmt::format("SELECT {} FROM workflow ORDER BY created, name LIMIT $1 OFFSET $2", kWorkflowColumns);
  return collect(connection_.query(sql, std::max<std::int64_t>(0, limit), std::max<std::int64_t>(0, skip)), read_workflow);
}

Result<std::optional<Receipt>> Reader::find_receipt(std::string_view key) {
  return first(connection_.query(fmt::format("SELECT {} FROM receipt WHERE key = $1", kReceiptColumns), Bytes{key}), read_receipt);
}

Result<std::vector<Receipt>> Reader::receipts_after(std::string_view key, std::int64_t limit) {
  auto sql = fmt::format("SELECT {} FROM receipt WHERE key > $1 ORDER BY key LIMIT $2", kReceiptColumns);
  return collect(connection_.query(sql, Bytes{key}, limit), read_receipt);
}

Result<std::vector<Usage>> Reader::usage(std::string_view label) { return collect(connection_.query(kUsageSql, Bytes{label}), read_usage); }

Result<std::vector<std::string>> Reader::garbage() { return collect(connection_.query("SELECT digest FROM garbage ORDER BY digest"), read_digest); }

Result<std::vector<std::string>> Reader::unreferenced(const std::vector<std::string>& digests) {
  std::vector<std::string> out;
  for (const auto& digest : digests) {
    LO_ASSIGN(auto rows, connection_.query("SELECT 1 FROM artifact WHERE digest = $1 LIMIT 1", digest));
    if (!rows.step()) out.push_back(digest);
  }
  return out;
}

Result<std::vector<std::string>> Reader::held_only_by(const std::vector<RevisionKey>& revisions) {
  std::set<RevisionKey> theirs(revisions.begin(), revisions.end());
  std::set<std::string> seen;
  std::vector<std::string> out;
  for (auto key : theirs) {
    LO_ASSIGN(auto digests, collect(connection_.query("SELECT digest FROM artifact WHERE step = $1 AND revision = $2", key.step, key.revision), read_digest));
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
  LO_ASSIGN(auto rows, connection_.query("SELECT step, revision FROM artifact WHERE digest = $1", digest));
  while (rows.step()) {
    RevisionKey key{.step = rows.integer(), .revision = 0};
    key.revision = static_cast<int>(rows.integer());
    if (!revisions.contains(key)) return true;
  }
  return false;
}

Result<std::set<std::string>> Reader::live_digests() {
  LO_ASSIGN(auto digests, collect(connection_.query("SELECT DISTINCT digest FROM artifact"), read_digest));
  return std::set<std::string>(digests.begin(), digests.end());
}

Result<std::vector<Step>> Reader::steps_after(StepId id, std::int64_t limit) {
  return collect(connection_.query(fmt::format("SELECT {} FROM step WHERE id > $1 ORDER BY id LIMIT $2", kStepColumns), id, limit), read_step);
}

Result<std::vector<Revision>> Reader::outlines_after(RevisionKey key, const Outline& outline, std::int64_t limit) {
  auto sql = fmt::format("SELECT {} FROM revision WHERE (step, revision) > ($1, $2) ORDER BY step, revision LIMIT $3", kOutlineColumns);
  return read_outlines(connection_.query(sql, key.step, key.revision, limit), outline);
}

Result<std::vector<Step>> Reader::steps_named(const std::vector<std::string>& names) {
  return collect(connection_.query(fmt::format("SELECT {} FROM step WHERE name IN ({}) ORDER BY id", kStepColumns, kNames), list_of(names)), read_step);
}

Result<std::vector<Revision>> Reader::outlines_named(const std::vector<std::string>& names, const Outline& outline) {
  auto sql = fmt::format("SELECT {} FROM revision WHERE step IN (SELECT id FROM step WHERE name IN ({})) ORDER BY step, revision", kOutlineColumns, kNames);
  return read_outlines(connection_.query(sql, list_of(names)), outline);
}

Result<std::vector<Revision>> Reader::open_revisions() {
  auto sql = revision_sql("", "WHERE revision.state IN ('waiting', 'scheduled', 'queued', 'running') ORDER BY revision.step, revision.revision");
  return collect(connection_.query(sql), read_revision);
}

Result<std::vector<Step>> Reader::all_steps() {
  return collect(connection_.query(fmt::format("SELECT {} FROM step ORDER BY id", kStepColumns)), read_step);
}

Result<std::vector<Revision>> Reader::all_revisions() {
  return collect(connection_.query(revision_sql("", "ORDER BY revision.step, revision.revision")), read_revision);
}

}  // namespace lo::catalog::postgres
