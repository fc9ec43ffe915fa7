// Deleting steps that a workflow has no more use for.
#pragma once

#include <string>
#include <vector>

#include "api/context.h"

namespace lo::api {

struct KeptStep {
  std::string name;
  std::string why;  // for people: "used by 'b'"
};

struct Removal {
  std::vector<std::string> removed;
  std::vector<KeptStep> kept;
};

// Deletes the steps, what has not ended is cancelled first. Kept is what steps beside them were made from, and what another workflow than
// `of_workflow` has too. Names that do not exist are passed over.
Awaitable<Result<Removal>> remove_steps(const Context& context, std::vector<std::string> names, std::string of_workflow);

}  // namespace lo::api
