#include "catalog/postgres/url.h"

#include <libpq-fe.h>

#include <memory>

namespace lo::catalog::postgres {
namespace {

constexpr std::string_view kSchemes[] = {"postgresql://", "postgres://"};

std::string_view after_scheme(std::string_view text) {
  for (auto scheme : kSchemes)
    if (text.starts_with(scheme)) return text.substr(scheme.size());
  return {};
}

// "user:pass@word@host" and "user:pass/word@host": libpq would go looking for a part of the password, and name it.
bool has_bare_password(std::string_view text) {
  auto rest = after_scheme(text);
  auto end = rest.find_first_of("@/");
  if (end != std::string_view::npos && rest[end] == '@') rest = rest.substr(end + 1);
  return rest.substr(0, rest.find('?')).contains('@');
}

}  // namespace

bool is_postgres_url(std::string_view text) { return !after_scheme(text).empty() || text == kSchemes[0] || text == kSchemes[1]; }

Status check_url(const std::string& url) {
  if (is_postgres_url(url) && has_bare_password(url))
    return fail(Code::unacceptable, "the catalog (--catalog) cannot be opened: @ and / in a password are written %40 and %2F");
  char* why = nullptr;
  std::unique_ptr<PQconninfoOption, decltype(&::PQconninfoFree)> options(::PQconninfoParse(url.c_str(), &why), ::PQconninfoFree);
  ::PQfreemem(why);
  if (options != nullptr) return {};
  return fail(Code::unacceptable, "the catalog (--catalog) cannot be opened: it is not of the form postgresql://user@host:port/database");
}

}  // namespace lo::catalog::postgres
