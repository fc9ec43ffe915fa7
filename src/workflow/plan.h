// What must be asked of the server so that it has what a workflow file says: a pure function of the file and of what the server
// has.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "workflow/step_view.h"
#include "workflow/workflow.h"

namespace lo::workflow {

using Stored = std::map<std::string, StepView, std::less<>>;  // by name; what the server does not have is left out

enum class Act { reuse, create, patch, rerun };

std::string_view to_string(Act act);

struct Action {
  Act act = Act::reuse;
  std::size_t step = 0;            // of Workflow::steps
  std::vector<std::string> names;  // what it is about; several when a builder is created, none for transform/dataType
  std::string reason;              // for people: "new", "changed: types", "stale: …", "equal"
  json::object body;               // to send: the whole when created, what changed when patched
  bool sends_file = false;         // the step's upload must be sent with it, `body` being its options
  bool parent_changes = false;     // what the server has of something that it refers to is about to change
  bool follows_inputs = false;     // it is made again only because its inputs are, or were: an equal result of before will do
  bool under_way = false;          // it is reused, and has not ended
};

// Every name that the workflow makes or refers to: what make_plan wants to be told of.
std::vector<std::string> names_of(const Workflow& workflow);

// What each field of a dataset is, or is about to be, by dataType since the revision that made it.
json::object types_of(const StepView& dataset);

// The order in which the steps can be posted: each after what it refers to and after all dataType steps of that; else as in the
// file. Gives indexes of workflow.steps. Code::unacceptable naming the steps, with lines, that wait for each other.
Result<std::vector<std::size_t>> order_steps(const Workflow& workflow);

// The actions in the order to do them. Code::conflict for names that other services hold; Code::unacceptable for references to what
// neither the file nor the server has (both with all of them), and for cycles.
Result<std::vector<Action>> make_plan(const Workflow& workflow, const Stored& stored);

}  // namespace lo::workflow
