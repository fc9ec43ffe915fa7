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
#include "cli/step_view.h"
#include "cli/workflow.h"

namespace lo::cli {

inline constexpr std::string_view kPrefix = "/api/learningOrchestra/v1";

class ApiClient {
 public:
  explicit ApiClient(HttpClient& http) : http_(http) {}

  // Whether a server of this API answers. Gives the reason otherwise.
  Status probe();

  Result<std::optional<StepView>> find_step(std::string_view name);
  Result<StepView> step(std::string_view name);                                  // Code::not_found when there is none
  Result<json::array> steps(std::string_view service, std::string_view status);  // all of them, page by page

  // A call with a JSON body ("" for none) to a route below the prefix. Gives the member `result`.
  Result<json::value> call(std::string_view method, std::string_view route, std::string_view body = "");

  // Sends a file as text/csv, with `options` (delimiter, types, …) in the query.
  Status upload(std::string_view method, std::string_view route, const Upload& upload, const json::object& options);

  // The log as it is now.
  Result<std::string> log(std::string_view name);

  HttpClient& http() { return http_; }

 private:
  Result<json::value> result_of(Result<HttpAnswer> answer);

  HttpClient& http_;
};

// The text of an answer that is no success: what problem details (RFC 9457) say, a line per wrong member, else the status.
Error error_of(const HttpAnswer& answer);

}  // namespace lo::cli
