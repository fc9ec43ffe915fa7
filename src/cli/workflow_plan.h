// What must be asked of the server so that it has what a workflow file says: a pure function of the file and of what the server
// has.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/step_view.h"
#include "cli/workflow.h"

namespace lo::cli {

using Stored = std::map<std::string, StepView, std::less<>>;  // by name; what the server does not have is left out

enum class Act { reuse, create, patch, rerun };

std::string_view to_string(Act act);

struct Action {
  Act act = Act::reuse;
  std::size_t step = 0;            // of Workflow::steps
  std::vector<std::string> names;  // what it is about; several when a builder is created, none for transform/dataType
  std::string reason;              // for people: "new", "changed: types", "stale: …", "equal"
  json::object body;               // to send: the whole when created, what changed when patched
  bool sends_file = false;         // the step's upload goes with it, `body` being its options
};

// Every name that the workflow makes or refers to: what make_plan wants to be told of.
std::vector<std::string> names_of(const Workflow& workflow);

// The order in which the steps can be posted: each after what it refers to and after all dataType steps of that; else as in the
// file. Gives indexes of workflow.steps. Code::unacceptable naming the steps, with lines, that wait for each other.
Result<std::vector<std::size_t>> order_steps(const Workflow& workflow);

// The actions in the order to do them. Code::unacceptable for a name that another service holds, for a reference to what
// neither the file nor the server has, and for cycles; a line of text per problem.
Result<std::vector<Action>> make_plan(const Workflow& workflow, const Stored& stored);

// The datasets whose dataType this plan asks for, or is under way already as the file says. Elsewhere a dataType that failed
// earlier does not count: the server left the dataset as it was.
std::set<std::string, std::less<>> typing_names(const Workflow& workflow, const Stored& stored,
                                                const std::vector<Action>& plan);

}  // namespace lo::cli
