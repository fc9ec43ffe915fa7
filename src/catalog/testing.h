// Records and commits for tests.
#pragma once

#include <future>
#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace lo::catalog {

inline Step make_step(StepId id, const std::string& name) {
  return {.id = id, .name = name, .service = "function/python", .created = from_micros(1'700'000'000'123'456), .labels = {}};
}

inline Revision make_revision(RevisionKey key, State state = State::queued) {
  Revision revision;
  revision.key = key;
  revision.operation = "function/python";
  revision.job = "job-" + std::to_string(key.step) + "-" + std::to_string(key.revision);
  revision.state = state;
  revision.accepted = from_micros(1'700'000'001'000'000);
  return revision;
}

// One in which no member has its default.
inline Revision make_full_revision(RevisionKey key, const std::string& name) {
  auto revision = make_revision(key, State::failed);
  revision.name = name;
  revision.operation = "transform/dataType";
  revision.request = {{"function", "response = 'ü\\n'"}, {"functionParameters", {{"rate", 0.1}, {"whole", 1.0}, {"n", 1}}}};
  revision.parents = {{.name = "data@1", .key = {41, 1}}, {.name = "model", .key = {StepId{1} << 40, 2}}};
  revision.reason = Reason::upstream_failed;
  revision.exception = "ValueError: no";
  revision.started = from_micros(1'700'000'002'000'001);
  revision.ended = from_micros(1'700'000'003'000'002);
  revision.attempts = 3;
  revision.lost = 1;
  revision.result = {{"kind", "table"}, {"rows", 891}, {"parts", json::array{}}};
  revision.facts = {{"F1", "0.8134706814580032"}, {"metrics", {{"f1", 0.8134706814580032}}}, {"none", nullptr}};
  return revision;
}

inline Attempt make_attempt(RevisionKey key, int number) {
  Attempt attempt;
  attempt.key = key;
  attempt.number = number;
  attempt.token = "token-" + std::to_string(number);
  attempt.started = from_micros(1'700'000'002'000'000 + number);
  attempt.exception = "Traceback: line 1";
  attempt.message = "printed";
  attempt.cpu_seconds = 1.25;
  attempt.peak_memory = std::int64_t{5} << 30;
  return attempt;
}

inline Event make_event(const std::string& name, const std::string& type) {
  return {.seq = 0, .at = from_micros(1'700'000'004'000'000), .name = name, .service = "function/python", .revision = 1,
          .type = type, .data = {}};
}

// Commits and waits for the end.
inline Status commit(Catalog& catalog, Batch batch) {
  std::promise<Status> ended;
  catalog.commit(std::move(batch), [&](Status status) { ended.set_value(std::move(status)); });
  return ended.get_future().get();
}

// Hands over all batches before it waits for the first.
inline std::vector<Status> commit_together(Catalog& catalog, std::vector<Batch> batches) {
  std::vector<std::promise<Status>> ended(batches.size());
  for (std::size_t i = 0; i < batches.size(); ++i)
    catalog.commit(std::move(batches[i]), [&end = ended[i]](Status status) { end.set_value(std::move(status)); });
  std::vector<Status> statuses;
  for (auto& one : ended) statuses.push_back(one.get_future().get());
  return statuses;
}

inline std::vector<bool> ok(const std::vector<Status>& statuses) {
  std::vector<bool> out;
  for (const auto& status : statuses) out.push_back(status.has_value());
  return out;
}

inline Result<std::int64_t> trim(Catalog& catalog, std::int64_t keep) {
  std::promise<Result<std::int64_t>> ended;
  catalog.trim_events(keep, [&](Result<std::int64_t> gone) { ended.set_value(std::move(gone)); });
  return ended.get_future().get();
}

}  // namespace lo::catalog
