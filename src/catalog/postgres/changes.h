// Changes as statements.
#pragma once

#include <vector>

#include "catalog/postgres/connection.h"
#include "catalog/records.h"

namespace lo::catalog::postgres {

// Appends the statements of a batch, in the order of its changes; their checks give the refusals of records.h. The batch's events get the
// numbers after `last_seq`, which is moved on, and are appended to `told`. The batch is not needed afterwards.
void append_commands(const Batch& batch, std::int64_t& last_seq, std::vector<Command>& commands, std::vector<Event>& told);

// Removes the events up to `seq`; `gone` becomes how many those were.
Command trim_command(std::int64_t seq, std::int64_t& gone);

}  // namespace lo::catalog::postgres
