// What the server says of a step: GET /step/{name}.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace lo::workflow {

struct RevisionView {
  int revision = 0;
  std::string operation;
  std::string status;
  std::string reason;
  std::string exception;
  json::object request;
};

struct StepView {
  std::string name;
  std::string service;
  std::string operation;  // of the newest revision: the service, or "transform/dataType"
  int revision = 0;       // the newest
  std::string status;     // the words of the API
  std::string reason;
  bool finished = false;  // ended, in whatever way
  bool stale = false;
  std::string stale_reason;
  std::string exception;
  std::string wait;  // why it waits, for people
  std::optional<double> seconds;
  std::vector<RevisionView> revisions;  // oldest first
  json::object all;                     // as it came: rows, F1, accuracy, …

  bool succeeded() const { return status == "finished"; }

  // The server counts a dataset as good whose dataType failed, since it stays as it was. This counts that as the failure it is
  // for those who asked for it: status, reason and exception of the newest revision.
  void count_failed_typing();

  // The newest revision that the step's own service made, so not one that only typed the dataset. The newest of all if there is
  // none.
  const RevisionView& made_by() const;
};

// From the member `result` of the answer. Code::corrupt when name, service or status is missing.
Result<StepView> step_view_from(const json::value& result);

}  // namespace lo::workflow
