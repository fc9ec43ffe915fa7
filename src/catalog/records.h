// What the catalog stores: steps, their revisions, attempts, events, subscriptions. Plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/state.h"

namespace lo::catalog {

using StepId = std::int64_t;  // given by the catalog, never reused: a deleted name that is taken again gets another

struct RevisionKey {
  StepId step = 0;
  int revision = 0;  // 1, 2, …
  auto operator<=>(const RevisionKey&) const = default;
};

// A reference of a request, bound when the request was accepted.
struct Parent {
  std::string name = {};
  RevisionKey key;
  bool operator==(const Parent&) const = default;
};

struct Step {
  StepId id = 0;
  std::string name = {};     // unique among the living
  std::string service = {};  // "dataset/csv": service and tool
  WallTime created = {};
  json::object labels = {};
  bool operator==(const Step&) const = default;
};

// One version of a step. A terminal revision never changes.
struct Revision {
  RevisionKey key;
  std::string name = {};       // the step's
  std::string operation = {};  // what makes it: the step's service, or "transform/dataType" for a dataset typed in place
  std::string job = {};        // revisions with the same job run together in one process; "" never happens
  json::object request = {};   // the body as accepted, normalised: what a later equal request is compared with
  std::vector<Parent> parents = {};
  State state = State::waiting;
  Reason reason = Reason::none;
  std::string exception = {};  // "<type>: <message>" of a failed one
  WallTime accepted = {};
  std::optional<WallTime> started = {};  // of the last attempt
  std::optional<WallTime> ended = {};
  int attempts = 0;          // begun so far
  int lost = 0;              // attempts that ended with the server's own death
  json::object result = {};  // store::Manifest as JSON; empty until finished
  json::object facts = {};   // what the run adds to the metadata: fitTime, F1, metrics, fields, rows, …
  bool operator==(const Revision&) const = default;
};

// A revision in outline has its key, operation, parents, state, reason, times of acceptance and end, and of its request and its facts no more than
// these members, where they are not null.
struct Outline {
  std::vector<std::string_view> request = {}, facts = {};
};

// One try at running a revision: an execution document of the API.
struct Attempt {
  RevisionKey key;
  int number = 0;          // 1, 2, … within the revision
  std::string token = {};  // fencing token
  WallTime started = {};
  std::optional<WallTime> ended = {};
  State state = State::running;
  Reason reason = Reason::none;
  std::string exception = {};  // traceback of a failed one, with the user's line numbers
  std::string message = {};    // functionMessage: first and last 32 kB of what it printed
  double cpu_seconds = 0;
  std::int64_t peak_memory = 0;  // bytes
  bool operator==(const Attempt&) const = default;
};

// What happened to a name, in commit order. `seq` is the id that SSE's Last-Event-ID names.
struct Event {
  std::int64_t seq = 0;  // given by the catalog at commit
  WallTime at = {};
  std::string name = {};
  std::string service = {};
  int revision = 0;
  std::string type = {};   // "accepted", "running", "progress", "finished", "failed", "cancelled", "deleted", …
  json::object data = {};  // status, reason, and what the type adds
  bool operator==(const Event&) const = default;
};

struct Subscription {
  std::string name = {};  // of the observed step; unique
  WallTime created = {};
  json::object options = {};
  bool operator==(const Subscription&) const = default;
};

// A workflow as it was posted last. Its steps are steps like all others: this only remembers which belong together.
struct Workflow {
  std::string name = {};  // unique among workflows, which share no names with steps
  WallTime created = {};
  WallTime changed = {};          // when another document was posted
  std::vector<std::string> steps = {};  // names that it made, in order: of this document, then those that earlier ones left
  json::object document = {};     // normalised
  bool operator==(const Workflow&) const = default;
};

// The answer to a request whose client may repeat it, kept under the key that the client chose. The catalog reads nothing of it.
struct Receipt {
  std::string key = {};      // unique
  std::string request = {};  // digest of the request
  json::object answer = {};
  WallTime created = {};
  bool operator==(const Receipt&) const = default;
};

// What the steps with one value of a label took, living ones only.
struct Usage {
  std::string value = {};            // of the label; "" where a step has none
  std::int64_t steps = 0;
  std::int64_t revisions = 0;
  std::int64_t attempts = 0;
  double cpu_seconds = 0;            // of all attempts
  std::int64_t peak_memory = 0;      // bytes, of the largest attempt
  std::int64_t bytes = 0;            // of results and uploads; what several revisions share counts once
  bool operator==(const Usage&) const = default;
};

// --- Changes: the parts of one atomic commit, applied in their order. ---
// A change of something that does not exist (any more) is refused with Code::not_found, one that only a defect of the caller
// can ask for with Code::internal.

struct AddStep { Step step; };                  // Code::conflict when the name is taken; internal: the id is
struct AddRevision { Revision revision; };      // not_found: no such step; internal: the key is taken. `name` is not stored
struct UpdateRevision { Revision revision; };   // the whole record but its name; internal when the stored one is terminal
struct RebindParents { RevisionKey key; std::vector<Parent> parents; };  // internal when the stored one is terminal
struct PutAttempt { Attempt attempt; };         // inserts or replaces (key, number); not_found: no such revision
struct AddEvent { Event event; };               // its seq is given at commit
struct RemoveStep { StepId id; };               // with its revisions and attempts; events and subscriptions stay
struct RemoveRevision { RevisionKey key; };     // with its attempts; internal when it has not ended
struct PutSubscription { Subscription subscription; };  // inserts or replaces
struct RemoveSubscription { std::string name; };
struct PutWorkflow { Workflow workflow; };      // inserts or replaces
struct RemoveWorkflow { std::string name; };
struct PutReceipt { Receipt receipt; };         // inserts or replaces
struct ForgetReceipts { WallTime before; };     // those that were created before
struct ForgetGarbage { std::vector<std::string> digests; };  // the files are gone; those that are referred to again stay out of it

using Change = std::variant<AddStep, AddRevision, UpdateRevision, RebindParents, PutAttempt, AddEvent, RemoveStep,
                            RemoveRevision, PutSubscription, RemoveSubscription, PutWorkflow, RemoveWorkflow, PutReceipt,
                            ForgetReceipts, ForgetGarbage>;
using Batch = std::vector<Change>;

// --- Filters of the lists. Empty means any. ---

struct StepFilter {
  std::string service = {};                      // "dataset/csv"
  std::optional<State> state = {};               // of the newest revision
  std::string label_key = {}, label_value = {};  // see has_label(); the key alone: any value
  bool typed_in_place = false;                   // with a revision that transform/dataType made
  std::int64_t limit = 1000;
  std::int64_t skip = 0;
};

struct EventFilter {
  std::string name = {}, service = {}, label_key = {}, label_value = {};
  bool matches(const Event& event) const;  // labels are looked up in event.data["labels"]
};

// The digests of what a revision keeps in the store: the parts of its result that are not inline, and its upload.
std::vector<std::string> digests_in(const Revision& revision);

// A label's value as filters see it: a string is itself, anything else its JSON text ("3", "true").
std::string label_text(const json::value& value);

// Whether `labels` has the key, and, unless `value` is empty, with that value.
bool has_label(const json::object& labels, std::string_view key, std::string_view value);

}  // namespace lo::catalog
