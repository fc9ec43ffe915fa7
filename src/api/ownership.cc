#include "api/ownership.h"

#include <fmt/format.h>

#include "base/text.h"

namespace lo::api {
namespace {

// The labels, where the body has some that can hold an owner. What is no object is refused by whoever reads the body.
const json::object* labels_of(const json::object& body) {
  const auto* labels = body.if_contains("labels");
  return labels == nullptr ? nullptr : labels->if_object();
}

}  // namespace

Status check_owner(const json::object& body, std::string_view user) {
  const auto* labels = labels_of(body);
  const auto* owner = labels == nullptr ? nullptr : labels->if_contains("owner");
  if (user.empty() || owner == nullptr || *owner == json::value(user)) return {};
  return fail_field(Code::forbidden, "/labels/owner",
                    fmt::format("the owner is \"{}\", whose token this is, not {}: leave it out", user, printable(json::serialize(*owner))));
}

Status set_owner(json::object& body, std::string_view user) {
  LO_TRY(check_owner(body, user));
  if (user.empty()) return {};
  if (!body.contains("labels")) body["labels"].emplace_object();
  if (auto* labels = body["labels"].if_object()) labels->insert_or_assign("owner", user);
  return {};
}

}  // namespace lo::api
