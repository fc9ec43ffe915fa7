// The routes of the REST API that the commands use.
//
// Threads: as HttpClient. Errors: Code::unavailable when no answer came, or 429 or 503: asking again may help. Every other
// answer above 299 is an error with the server's own text: of 404 Code::not_found, of 409 Code::conflict, of 400 and 406
// Code::unacceptable, else Code::io.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/http_client.h"
#include "cli/workflow_files.h"
#include "workflow/step_view.h"

namespace lo::cli {

using workflow::StepView;

inline constexpr std::string_view kPrefix = "/api/learningOrchestra/v1";

// A time of a workflow's schedule.
struct ScheduledTime {
  std::string text;       // "2026-01-31T02:00:00-00:00"
  bool finished = false;  // all of its steps have a result of it
};

class ApiClient {
 public:
  explicit ApiClient(HttpClient& http) : http_(http) {}

  // Whether a server of this API answers. Gives the reason otherwise.
  Status probe();

  Result<std::optional<StepView>> find_step(std::string_view name);
  Result<StepView> step(std::string_view name);                                  // Code::not_found when there is none
  Result<json::array> steps(std::string_view service, std::string_view status);  // all of them, page by page

  Result<json::array> workflows();                                               // likewise

  // A call with a JSON body ("" for none) to a route below the prefix. Gives the member `result`.
  Result<json::value> call(std::string_view method, std::string_view route, std::string_view body = "");

  // Sends a file, with `options` (delimiter, types, …) in the query.
  Status upload(std::string_view method, std::string_view route, const LocalFile& file, const json::object& options);

  // The whole answer of POST /workflow, not only its `result`.
  Result<json::object> post_workflow(const json::object& document, bool prune);

  // Times as RFC 3339 has them; `to` is left out.
  Result<std::vector<ScheduledTime>> workflow_times(std::string_view name, std::string_view from, std::string_view to);

  // Has the workflow made for a time that is over; the same `key` once only. Gives the names of its steps.
  Result<std::vector<std::string>> rerun_workflow(std::string_view name, std::string_view time, std::string_view key);

  // The document that recreates a workflow, as text; `format` is yaml or json.
  Result<std::string> export_workflow(std::string_view name, std::string_view format);

  // The log as it is now.
  Result<std::string> log(std::string_view name);

  HttpClient& http() { return http_; }

 private:
  Result<json::array> pages(std::string_view route, std::string_view filter);
  Result<json::object> body_of(Result<HttpAnswer> answer);
  Result<json::value> result_of(Result<HttpAnswer> answer);

  HttpClient& http_;
};

// What an answer that is no success says: problem details (RFC 9457) with a line and a field per wrong member, else the status.
Error error_of(const HttpAnswer& answer);

}  // namespace lo::cli
