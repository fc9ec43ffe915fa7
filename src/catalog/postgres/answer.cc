#include "catalog/postgres/answer.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <bit>
#include <charconv>

#include "base/text.h"

namespace lo::catalog::postgres {
namespace {

std::string_view field(const pg_result* result, int which) {
  const char* text = ::PQresultErrorField(result, which);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// libpq's own errors have no fields.
std::string words_of(const pg_result* result) {
  auto words = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (words.empty()) words = ::PQresultErrorMessage(result);
  return fmt::format("PostgreSQL: {} ({})", one_line(words), field(result, PG_DIAG_SQLSTATE));
}

// Classes of appendix A of PostgreSQL's documentation.
Code code_of(std::string_view sqlstate) {
  if (sqlstate == "53100") return Code::no_space;
  auto kind = sqlstate.substr(0, 2);
  if (kind == "XX" && sqlstate != "XX000") return Code::corrupt;
  if (kind == "58") return Code::io;
  // Connection, too many of something, not in this state, stopped by an operator, cannot be serialized; "": the connection went.
  if (kind == "08" || kind == "53" || kind == "55" || kind == "57" || kind == "40" || kind == "25" || kind.empty()) return Code::unavailable;
  return Code::internal;
}

std::string_view message_of(Code code) {
  switch (code) {
    case Code::no_space: return "the disk that holds the catalog is full";
    case Code::corrupt: return "the catalog is damaged";
    case Code::unavailable: return "the catalog's database is not there now: try again";
    case Code::io: return "the catalog could not be read or written";
    default: return "the catalog refused a statement";
  }
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c != '\n' && c != '\t') out += c;
    else if (!out.ends_with(' ')) out += ' ';
  }
  while (out.ends_with(' ')) out.pop_back();
  constexpr std::size_t kLongest = 600;
  return printable(out, kLongest);
}

void Answer::Clear::operator()(pg_result* result) const { ::PQclear(result); }

Status Answer::status() const {
  auto kind = ::PQresultStatus(result_.get());  // of nullptr: a fatal error
  if (kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK || kind == PGRES_PIPELINE_SYNC) return {};
  auto code = code_of(sqlstate());
  return fail(Error{.code = code, .message = std::string(message_of(code)), .internal = words_of(result_.get())});
}

std::string_view Answer::sqlstate() const { return field(result_.get(), PG_DIAG_SQLSTATE); }
std::string_view Answer::constraint() const { return field(result_.get(), PG_DIAG_CONSTRAINT_NAME); }
std::string_view Answer::command() const { return result_ == nullptr ? "" : ::PQcmdStatus(result_.get()); }

std::int64_t Answer::changed() const {
  if (result_ == nullptr) return 0;
  std::string_view text = ::PQcmdTuples(result_.get());
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

bool Answer::step() {
  column_ = 0;
  return ++row_ < ::PQntuples(result_.get());
}

std::int64_t Answer::integer() { return static_cast<std::int64_t>(eight_bytes()); }

std::optional<std::int64_t> Answer::optional_integer() {
  if (::PQgetisnull(result_.get(), row_, column_) == 0) return integer();
  ++column_;
  return std::nullopt;
}

double Answer::real() { return std::bit_cast<double>(eight_bytes()); }

std::string_view Answer::view() {
  auto column = column_++;
  return {::PQgetvalue(result_.get(), row_, column), static_cast<std::size_t>(::PQgetlength(result_.get(), row_, column))};
}

// A NULL is 0, as in SQLite.
std::uint64_t Answer::eight_bytes() {
  std::uint64_t value = 0;
  for (char byte : view()) value = (value << 8U) | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace lo::catalog::postgres
