// All that a catalog holds, as the changes that make another one the same: for copies from one kind of catalog to the other.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "catalog/records.h"

namespace lo::catalog {

// Changes for one batch. Its events, if it has any, are numbered on from `last_event` without a gap.
struct Part {
  Batch changes;
  std::int64_t last_event = 0;
};

// Takes the parts one after the other, in an order in which they can be applied.
using TakePart = std::function<Status(Part)>;

// Gives all parts. The number is that of the catalog's last boot, which the upper half of its ids is not above: where the copy goes on from.
using GiveContents = std::function<Result<std::int64_t>(const TakePart& take)>;

namespace contents {

constexpr int kAtOnce = 500;  // events, workflows or receipts of a part

template <class Reader>
Status give_step(Reader& reader, Step step, const TakePart& take) {
  auto id = step.id;
  Part part;
  part.changes.emplace_back(AddStep{std::move(step)});
  LO_ASSIGN(auto revisions, reader.revisions(id));
  for (auto& revision : revisions) part.changes.emplace_back(AddRevision{std::move(revision)});
  LO_ASSIGN(auto attempts, reader.attempts(id));
  for (auto& attempt : attempts) part.changes.emplace_back(PutAttempt{std::move(attempt)});
  return take(std::move(part));
}

template <class Reader>
Status give_events(Reader& reader, const TakePart& take) {
  for (std::int64_t last = 0;;) {
    LO_ASSIGN(auto events, reader.events_after(last, {}, kAtOnce));
    if (events.empty()) return {};
    Part part{.changes = {}, .last_event = last};
    for (auto& event : events) {
      if (event.seq != last + 1) {  // some between them are gone
        LO_TRY(take(std::exchange(part, {.changes = {}, .last_event = event.seq - 1})));
      }
      last = event.seq;
      part.changes.emplace_back(AddEvent{std::move(event)});
    }
    LO_TRY(take(std::move(part)));
  }
}

template <class Reader>
Status give_workflows(Reader& reader, const TakePart& take) {
  for (std::int64_t skip = 0;; skip += kAtOnce) {
    LO_ASSIGN(auto workflows, reader.list_workflows(kAtOnce, skip));
    if (workflows.empty()) return {};
    Part part;
    for (auto& workflow : workflows) part.changes.emplace_back(PutWorkflow{std::move(workflow)});
    LO_TRY(take(std::move(part)));
  }
}

template <class Reader>
Status give_receipts(Reader& reader, const TakePart& take) {
  for (std::string last;;) {
    LO_ASSIGN(auto receipts, reader.receipts_after(last, kAtOnce));
    if (receipts.empty()) return {};
    last = receipts.back().key;
    Part part;
    for (auto& receipt : receipts) part.changes.emplace_back(PutReceipt{std::move(receipt)});
    LO_TRY(take(std::move(part)));
  }
}

// Nobody may write to the catalog meanwhile: the parts are read by many statements. What is garbage stays behind: a server removes what its catalog
// does not refer to when it starts.
template <class Reader>
Status give_all(Reader& reader, const TakePart& take) {
  LO_ASSIGN(auto steps, reader.all_steps());
  for (auto& step : steps) LO_TRY(give_step(reader, std::move(step), take));
  LO_ASSIGN(auto subscriptions, reader.subscriptions());
  Part part;
  for (auto& subscription : subscriptions) part.changes.emplace_back(PutSubscription{std::move(subscription)});
  LO_TRY(take(std::move(part)));
  LO_TRY(give_workflows(reader, take));
  LO_TRY(give_receipts(reader, take));
  return give_events(reader, take);
}

}  // namespace contents
}  // namespace lo::catalog
