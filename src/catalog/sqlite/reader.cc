#include "catalog/sqlite/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/sqlite/records_io.h"

namespace lo::catalog::sqlite {
namespace {

// All rows, or the first `limit` that `wanted` lets through.
template <class T>
Result<std::vector<T>> collect(
    Query& rows, Result<T> (*read)(Query&), auto wanted, std::size_t limit = static_cast<std::size_t>(-1)) {
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
Result<std::vector<T>> collect(Query& rows, Result<T> (*read)(Query&)) {
  return collect(rows, read, [](const T&) { return true; });
}

template <class T>
Result<std::optional<T>> first(Query& rows, Result<T> (*read)(Query&)) {
  LO_ASSIGN(auto found, rows.step());
  if (!found) return std::nullopt;
  LO_ASSIGN(auto record, read(rows));
  return std::optional(std::move(record));
}

Result<std::string> read_digest(Query& row) { return std::string(row.text()); }

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

Result<std::set<std::string>> Reader::live_digests() {
  LO_ASSIGN(auto rows, connection_.query("SELECT DISTINCT digest FROM artifact"));
  LO_ASSIGN(auto digests, collect(rows, read_digest));
  return std::set<std::string>(digests.begin(), digests.end());
}

Status Reader::each_step(const std::function<void(Step)>& visit) {
  LO_ASSIGN(auto rows, connection_.query(fmt::format("SELECT {} FROM step", kStepColumns)));
  for (;;) {
    LO_ASSIGN(auto more, rows.step());
    if (!more) return {};
    LO_ASSIGN(auto step, read_step(rows));
    visit(std::move(step));
  }
}

// In the order of the table, which is read from one end to the other.
Status Reader::each_revision(const Outline& outline, const std::function<void(Revision)>& visit) {
  LO_ASSIGN(auto rows, connection_.query(fmt::format("SELECT {} FROM revision", outline_columns(outline))));
  for (;;) {
    LO_ASSIGN(auto more, rows.step());
    if (!more) return {};
    LO_ASSIGN(auto revision, read_outline(rows, outline));
    visit(std::move(revision));
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
