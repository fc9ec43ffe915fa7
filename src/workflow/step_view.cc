#include "workflow/step_view.h"

#include <algorithm>

namespace lo::workflow {
namespace {

bool bool_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<double> number_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return {};
  return value->to_number<double>();
}

RevisionView revision_from(const json::object& object) {
  return {.revision = static_cast<int>(number_of(object, "revision").value_or(0)),
          .operation = string_or(object, "operation"),
          .status = string_or(object, "status"),
          .reason = string_or(object, "reason"),
          .exception = string_or(object, "exception"),
          .request = object_or_empty(object, "request")};
}

std::vector<RevisionView> revisions_from(const json::object& object) {
  std::vector<RevisionView> revisions;
  const auto* list = object.if_contains("revisions");
  if (list != nullptr && list->is_array()) {
    for (const auto& element : list->get_array())
      if (element.is_object()) revisions.push_back(revision_from(element.get_object()));
  }
  if (revisions.empty()) revisions.push_back(revision_from(object));
  std::ranges::sort(revisions, {}, &RevisionView::revision);
  return revisions;
}

}  // namespace

const RevisionView& StepView::made_by() const {
  auto found = std::ranges::find(revisions.rbegin(), revisions.rend(), service, &RevisionView::operation);
  return found == revisions.rend() ? revisions.back() : *found;
}

void StepView::count_failed_typing() {
  const auto& newest = revisions.back();
  bool ended_badly = newest.status == "failed" || newest.status == "cancelled";
  if (!ended_badly || status == newest.status) return;
  status = newest.status;
  reason = newest.reason;
  exception = newest.exception;
}

Result<StepView> step_view_from(const json::value& result) {
  const auto* object = result.if_object();
  if (object == nullptr) return fail(Code::corrupt, "the server's answer about a step is no object");
  StepView view{.name = string_or(*object, "name"),
                .service = string_or(*object, "service"),
                .operation = string_or(*object, "operation", string_or(*object, "service")),
                .revision = static_cast<int>(number_of(*object, "revision").value_or(0)),
                .status = string_or(*object, "status"),
                .reason = string_or(*object, "reason"),
                .finished = bool_of(*object, "finished"),
                .stale = bool_of(*object, "stale"),
                .stale_reason = string_or(*object, "staleReason"),
                .exception = string_or(*object, "exception"),
                .wait = string_or(*object, "wait"),
                .seconds = number_of(*object, "seconds"),
                .revisions = revisions_from(*object),
                .all = *object};
  for (auto [member, value] : {std::pair("name", &view.name), {"service", &view.service}, {"status", &view.status}})
    if (value->empty()) return fail(Code::corrupt, std::string("the server's answer about a step has no ") + member);
  view.revision = std::max(view.revision, view.revisions.back().revision);  // a dataType that failed is not the one shown
  return view;
}

}  // namespace lo::workflow
