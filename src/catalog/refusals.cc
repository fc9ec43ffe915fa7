#include "catalog/refusals.h"

#include <fmt/format.h>

#include "base/text.h"

namespace lo::catalog {
namespace {

std::string shown(RevisionKey key) { return fmt::format("revision {} of step {}", key.revision, key.step); }

}  // namespace

std::unexpected<Error> refuse_taken_name(const Step& step) {
  return fail(Code::conflict, fmt::format("the name \"{}\" is taken", printable(step.name)));
}
std::unexpected<Error> refuse_taken_id(StepId id) {
  return fail(Code::internal, fmt::format("step {} is stored already", id));
}
std::unexpected<Error> refuse_taken_key(RevisionKey key) {
  return fail(Code::internal, fmt::format("{} is stored already", shown(key)));
}
std::unexpected<Error> refuse_terminal(RevisionKey key, State stored) {
  return fail(Code::internal, fmt::format("{} is {} and never changes again", shown(key), to_string(stored)));
}
std::unexpected<Error> refuse_open(RevisionKey key) { return fail(Code::internal, fmt::format("{} has not ended", shown(key))); }
std::unexpected<Error> refuse_unknown_step(StepId id) {
  return fail(Code::not_found, fmt::format("there is no step {}", id));
}
std::unexpected<Error> refuse_unknown_revision(RevisionKey key) {
  return fail(Code::not_found, fmt::format("there is no {}", shown(key)));
}
std::unexpected<Error> refuse_unknown_subscription(std::string_view name) {
  return fail(Code::not_found, fmt::format("the name \"{}\" is not observed", printable(name)));
}
std::unexpected<Error> refuse_unknown_workflow(std::string_view name) {
  return fail(Code::not_found, fmt::format("there is no workflow \"{}\"", printable(name)));
}

}  // namespace lo::catalog
