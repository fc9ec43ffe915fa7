// Connection strings of PostgreSQL.
#pragma once

#include <string>

#include "base/error.h"

namespace lo::catalog::postgres {

// Code::unacceptable when libpq could not read it, or would take a part of a password for something else. Nothing of the text is repeated in the
// error: any part of it may be a password.
Status check_url(const std::string& url);

// "postgresql:// …" or "postgres://…": what --catalog takes for one.
bool is_postgres_url(std::string_view text);

}  // namespace lo::catalog::postgres
