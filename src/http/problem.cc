// What an error is in HTTP: the status, and the body of RFC 9457.
#include <boost/beast/http/status.hpp>

#include "http/message.h"

namespace lo::http {
namespace {

Response problem(unsigned status, std::string_view detail, const std::vector<FieldError>& fields, std::string_view instance) {
  auto title = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  json::object body{{"result", detail}, {"type", "about:blank"}, {"title", title},
                    {"status", status}, {"detail", detail},      {"instance", instance}};
  if (!fields.empty()) {
    auto& errors = body["errors"].emplace_array();
    for (const auto& field : fields) errors.push_back(json::object{{"pointer", field.pointer}, {"detail", field.detail}});
  }
  auto response = text_response(status, "application/problem+json", write_json(body));
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

unsigned status_of(Code code) {
  switch (code) {
    case Code::malformed: return 400;
    case Code::not_found: return 404;
    case Code::not_allowed: return 405;
    case Code::forbidden: return 403;
    case Code::unacceptable: return 406;
    case Code::conflict: return 409;
    case Code::precondition: return 412;
    case Code::too_large: return 413;
    case Code::unsupported_media: return 415;
    case Code::mismatch: return 422;
    case Code::busy: return 429;
    case Code::unavailable: return 503;
    case Code::elsewhere: return 503;
    case Code::no_space: return 507;
    case Code::cancelled: return 503;
    case Code::timeout: return 408;
    case Code::io: return 500;
    case Code::corrupt: return 500;
    case Code::internal: return 500;
  }
  return 500;
}

Response problem_response(const Error& error, std::string_view instance) {
  auto response = problem(status_of(error.code), error.message, error.fields, instance);
  if (error.code == Code::elsewhere) response.headers.emplace_back(kElsewhere, "1");
  return response;
}

Response problem_response(unsigned status, std::string_view detail, std::string_view instance) {
  return problem(status, detail, {}, instance);
}

}  // namespace lo::http
