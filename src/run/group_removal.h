// The end of a control group whose keeper vanished.
#pragma once

#include <functional>
#include <memory>

#include "run/run_context.h"

namespace lo::run {

// Does `before` and removes the group on the pool, killing what is still in it; then calls `done` on the strand. Tries for 3 s: the kernel takes a
// dying process out of its group some moments after its parent has heard of its death.
void remove_with_group(const std::shared_ptr<RunContext>& context, std::move_only_function<void()> before, JobCgroup group, std::function<void()> done);

}  // namespace lo::run
