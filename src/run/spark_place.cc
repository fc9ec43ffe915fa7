#include "run/spark_place.h"

#include <fmt/format.h>

#include <regex>

namespace lo::run {
namespace {

constexpr std::string_view kForms = "sc://HOST:PORT/;use_ssl=true;token=… nor spark://HOST:PORT";

// The host may be an IPv6 address in brackets.
const std::regex& connect_form() {
  static const std::regex form(R"(sc://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?((;[A-Za-z0-9_.-]+=[^;=\s]*)*))");
  return form;
}

const std::regex& standalone_form() {
  static const std::regex form(R"(spark://[A-Za-z0-9._-]+:[0-9]{1,5}(,[A-Za-z0-9._-]+:[0-9]{1,5})*)");
  return form;
}

bool has_parameter(std::string_view parameters, std::string_view name) { return parameters.contains(fmt::format(";{}=", name)); }

Result<SparkPlace> connect_place(const std::string& text, const std::string& parameters) {
  if (has_parameter(parameters, "session_id")) return fail(Code::unacceptable, "it may have no session_id: each step has a session of its own");
  return SparkPlace{.kind = SparkPlace::Kind::connect, .url = text, .token = {}};
}

}  // namespace

std::string SparkPlace::shown() const { return kind == Kind::connect ? url.substr(0, url.find_first_of("/;", std::string_view("sc://").size())) : url; }

std::string SparkPlace::name() const {
  switch (kind) {
    case Kind::local: return "the Spark server";
    case Kind::standalone: return fmt::format("the Spark server on {} (--spark)", shown());
    case Kind::connect: return fmt::format("the Spark server {} (--spark)", shown());
  }
  return {};
}

bool SparkPlace::has_token() const { return !token.empty() || has_parameter(url, "token"); }

Result<SparkPlace> parse_spark_place(const std::string& text) {
  if (text.empty()) return SparkPlace{};
  std::smatch match;
  if (std::regex_match(text, match, connect_form())) return connect_place(text, match[3]);
  if (std::regex_match(text, standalone_form())) return SparkPlace{.kind = SparkPlace::Kind::standalone, .url = text, .token = {}};
  auto begin = text.substr(0, text.find_first_of(";?#@", text.find("://") == std::string::npos ? 0 : text.find("://")));
  return fail(Code::unacceptable, fmt::format("{} is neither of the form {}", begin == text ? '"' + text.substr(0, 80) + '"' : "it", kForms));
}

}  // namespace lo::run
