#include "cli/api_client.h"

#include <fmt/format.h>

#include <algorithm>

namespace lo::cli {
namespace {

constexpr int kPage = 1000;
constexpr std::size_t kMaxUnknownText = 300;

Code code_of(long status) {
  switch (status) {
    case 400:
    case 406: return Code::unacceptable;
    case 404: return Code::not_found;
    case 409: return Code::conflict;
    case 429:
    case 503: return Code::unavailable;
    default: return Code::io;
  }
}

std::vector<FieldError> problem_fields(const json::object& problem) {
  std::vector<FieldError> fields;
  const auto* errors = problem.if_contains("errors");
  if (errors == nullptr || !errors->is_array()) return fields;
  for (const auto& element : errors->get_array())
    if (const auto* field = element.if_object())
      fields.push_back({.pointer = string_or(*field, "pointer"), .detail = string_or(*field, "detail")});
  return fields;
}

std::string problem_text(const json::object& problem, const std::vector<FieldError>& fields) {
  auto text = string_or(problem, "detail", string_or(problem, "result"));
  for (const auto& [pointer, detail] : fields)
    text += detail == text ? fmt::format(" (at {})", pointer) : fmt::format("\n  {}: {}", pointer, detail);
  return text;
}

// In a query a text stands as it is, everything else as JSON.
std::string query_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

std::string query_of(const json::object& options) {
  std::string query;
  for (const auto& member : options) {
    if (member.value().is_null()) continue;
    query +=
        fmt::format("{}{}={}", query.empty() ? "?" : "&", url_escaped(member.key()), url_escaped(query_text(member.value())));
  }
  return query;
}

std::string below_prefix(std::string_view route) { return fmt::format("{}/{}", kPrefix, route); }

}  // namespace

Error error_of(const HttpAnswer& answer) {
  Error error{.code = code_of(answer.status), .message = answer.body.substr(0, kMaxUnknownText)};
  if (auto problem = parse_json_object(answer.body)) {
    error.fields = problem_fields(*problem);
    error.message = problem_text(*problem, error.fields);
  }
  if (error.message.empty()) error.message = fmt::format("the server answered with status {}", answer.status);
  return error;
}

Result<json::object> ApiClient::body_of(Result<HttpAnswer> answer) {
  LO_TRY(answer);
  if (!answer->ok()) return fail(error_of(*answer));
  auto body = parse_json_object(answer->body);
  if (!body) return fail(Code::corrupt, fmt::format("{} gave no JSON: {}", http_.base_url(), body.error().message));
  return body;
}

Result<json::value> ApiClient::result_of(Result<HttpAnswer> answer) {
  LO_ASSIGN(auto body, body_of(std::move(answer)));
  const auto* result = body.if_contains("result");
  if (result == nullptr) return fail(Code::corrupt, fmt::format("{} gave an answer without 'result'", http_.base_url()));
  return *result;
}

Result<json::value> ApiClient::call(std::string_view method, std::string_view route, std::string_view body) {
  return result_of(http_.send({.method = std::string(method),
                               .path = below_prefix(route),
                               .body = std::string(body),
                               .content_type = body.empty() ? "" : "application/json"}));
}

Status ApiClient::probe() {
  auto answer = call("GET", "step?limit=1");
  if (!answer) return fail(std::move(answer).error());
  if (!answer->is_array()) return fail(Code::corrupt, fmt::format("{} is no server of Learning Orchestra", http_.base_url()));
  return {};
}

Result<std::optional<StepView>> ApiClient::find_step(std::string_view name) {
  auto view = step(name);
  if (view) return *std::move(view);
  if (view.error().code == Code::not_found) return std::nullopt;
  return fail(std::move(view).error());
}

Result<StepView> ApiClient::step(std::string_view name) {
  LO_ASSIGN(auto result, call("GET", "step/" + url_escaped(name)));
  return workflow::step_view_from(result);
}

Result<json::array> ApiClient::pages(std::string_view route, std::string_view filter) {
  json::array all;
  for (;;) {
    LO_ASSIGN(auto page, call("GET", fmt::format("{}?limit={}&skip={}{}", route, kPage, all.size(), filter)));
    if (!page.is_array()) return fail(Code::corrupt, fmt::format("{} gave no list", http_.base_url()));
    std::ranges::copy(page.get_array(), std::back_inserter(all));
    if (page.get_array().size() < kPage) return all;
  }
}

Result<json::array> ApiClient::steps(std::string_view service, std::string_view status) {
  std::string filter;
  if (!service.empty()) filter += "&type=" + url_escaped(service);
  if (!status.empty()) filter += "&status=" + url_escaped(status);
  return pages("step", filter);
}

Result<json::array> ApiClient::workflows() { return pages("workflow", ""); }

Status ApiClient::upload(std::string_view method, std::string_view route, const LocalFile& file, const json::object& options) {
  auto answer = result_of(http_.send({.method = std::string(method),
                                      .path = below_prefix(route) + query_of(options),
                                      .content_type = file.type,
                                      .file = file.path}));
  if (!answer) return fail(std::move(answer).error());
  return {};
}

Result<json::object> ApiClient::post_workflow(const json::object& document, bool prune) {
  return body_of(http_.send({.method = "POST",
                             .path = below_prefix(prune ? "workflow?prune=true" : "workflow"),
                             .body = write_json(document),
                             .content_type = "application/json"}));
}

Result<std::vector<ScheduledTime>> ApiClient::workflow_times(std::string_view name, std::string_view from, std::string_view to) {
  std::vector<ScheduledTime> times;
  for (std::string next(from); !next.empty();) {
    auto path = fmt::format("workflow/{}/times?from={}&to={}", url_escaped(name), url_escaped(next), url_escaped(to));
    LO_ASSIGN(auto page, body_of(http_.send({.path = below_prefix(path)})));
    const auto* result = page.if_contains("result");
    if (result == nullptr || !result->is_array()) return fail(Code::corrupt, fmt::format("{} gave no list", http_.base_url()));
    for (const auto& each : result->get_array()) {
      if (!each.is_object()) continue;
      const auto* finished = each.get_object().if_contains("finished");
      times.push_back({.text = string_or(each.get_object(), "time"), .finished = finished != nullptr && *finished == true});
    }
    next = string_or(page, "next");
  }
  return times;
}

Result<std::vector<std::string>> ApiClient::rerun_workflow(std::string_view name, std::string_view time, std::string_view key) {
  LO_ASSIGN(auto body, body_of(http_.send({.method = "POST",
                                           .path = below_prefix(fmt::format("workflow/{}/rerun", url_escaped(name))),
                                           .body = write_json(json::object{{"scheduledFor", time}}),
                                           .content_type = "application/json",
                                           .headers = {fmt::format("Idempotency-Key: {}", key)}})));
  std::vector<std::string> names;
  const auto* steps = body.if_contains("steps");
  if (steps == nullptr || !steps->is_array()) return fail(Code::corrupt, fmt::format("{} named no steps", http_.base_url()));
  for (const auto& step : steps->get_array())
    if (const auto* text = step.if_string()) names.emplace_back(*text);
  return names;
}

Result<std::string> ApiClient::export_workflow(std::string_view name, std::string_view format) {
  LO_ASSIGN(auto answer, http_.send({.path = below_prefix(fmt::format("workflow/{}/export?format={}", url_escaped(name), format))}));
  if (!answer.ok()) return fail(error_of(answer));
  return std::move(answer.body);
}

Result<std::string> ApiClient::log(std::string_view name) {
  LO_ASSIGN(auto answer, http_.send({.path = below_prefix(fmt::format("step/{}/log", url_escaped(name)))}));
  if (!answer.ok()) return fail(error_of(answer));
  return std::move(answer.body);
}

}  // namespace lo::cli
