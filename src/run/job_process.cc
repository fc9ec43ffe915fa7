#include "run/job_process.h"

namespace lo::run {

MemberEnd member_end_from(const json::object& message) {
  MemberEnd end{.member = string_or(message, "member"), .result = object_or_empty(message, "result"), .usage = {}};
  if (message.contains("last")) {
    end.usage = job_end_from(object_or_empty(message, "last"));
    end.usage->exit.status = 0;
  }
  return end;
}

}  // namespace lo::run
