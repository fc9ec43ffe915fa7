#include "catalog/postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "catalog/postgres/url.h"

namespace lo::catalog::postgres {
namespace {

constexpr int kOldestServer = 150000;
constexpr std::size_t kAtOnce = 500;         // commands of a round trip: neither side holds more answers

void ignore_notice(void*, const pg_result*) {}

// What stands before the connection string is used where that says nothing.
pg_conn* connect(const std::string& url) {
  const bool has_timeout = std::getenv("PGCONNECT_TIMEOUT") != nullptr;  // NOLINT(concurrency-mt-unsafe): nothing sets it
  std::array keywords{has_timeout ? "application_name" : "connect_timeout", "application_name", "keepalives_idle", "keepalives_interval",
                      "keepalives_count", "tcp_user_timeout", "dbname", "client_encoding", static_cast<const char*>(nullptr)};
  std::array values{has_timeout ? "" : "5", "learning-orchestra", "5", "5", "2", "15000", url.c_str(), "UTF8", static_cast<const char*>(nullptr)};
  constexpr int kExpand = 1;
  return ::PQconnectdbParams(keywords.data(), values.data(), kExpand);
}

std::unexpected<Error> refuse(Code code, std::string_view why) {
  return fail(code, fmt::format("the catalog (--catalog) cannot be opened: {}", why));
}

Status check_server(pg_conn* handle) {
  auto version = ::PQserverVersion(handle);
  if (version < kOldestServer)
    return refuse(Code::unacceptable, fmt::format("its PostgreSQL is version {}, and 15 is the oldest that will do", version / 10000));
  const char* encoding = ::PQparameterStatus(handle, "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8")
    return refuse(Code::unacceptable, fmt::format("its database has the encoding {}, not UTF8", encoding == nullptr ? "unknown" : encoding));
  return {};
}

}  // namespace

void Connection::Finish::operator()(pg_conn* handle) const { ::PQfinish(handle); }

Result<Connection> Connection::open(const std::string& url) {
  LO_TRY(check_url(url));
  Connection connection(connect(url));
  auto* handle = connection.handle_.get();
  if (handle == nullptr) return fail(Code::unavailable, "no memory for a connection to the catalog");
  if (::PQstatus(handle) != CONNECTION_OK) return refuse(Code::unavailable, one_line(::PQerrorMessage(handle)));
  ::PQsetNoticeReceiver(handle, ignore_notice, nullptr);
  LO_TRY(check_server(handle));
  // Whoever has asked for more (remote_apply) keeps it.
  LO_TRY(connection.execute("SELECT set_config('synchronous_commit', 'on', false) "
                            "WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"));
  return connection;
}

Status Connection::execute(const std::string& sql) { return noted(Answer(::PQexec(handle_.get(), sql.c_str()))).status(); }

Result<Answer> Connection::run(std::string_view sql, const std::vector<Parameter>& parameters) {
  LO_ASSIGN(auto name, prepare(sql, parameters));
  if (!send({.sql = std::string(sql), .parameters = parameters}, name)) return fail(broken().error());
  auto answer = next_answer();
  while (pg_result* more = ::PQgetResult(handle_.get())) answer = noted(Answer(more));  // an error that came after the rows
  LO_TRY(answer.status());
  return answer;
}

Result<std::int64_t> Connection::number(std::string_view sql) {
  LO_ASSIGN(auto answer, query(sql));
  if (!answer.step()) return fail(Code::internal, fmt::format("no row from: {}", sql));
  return answer.integer();
}

Status Connection::run_together(std::span<const Command> commands) {
  while (!commands.empty()) {
    auto piece = commands.first(std::min(kAtOnce, commands.size()));
    LO_TRY(run_piece(piece));
    commands = commands.subspan(piece.size());
  }
  return {};
}

// All statements are sent before the first answer is waited for. libpq, which blocks here, takes answers in while it sends, so neither
// side waits for the other.
// Source: https://www.postgresql.org/docs/15/libpq-pipeline-mode.html
Status Connection::run_piece(std::span<const Command> commands) {
  std::vector<std::string> names;
  for (const auto& command : commands) {
    LO_ASSIGN(auto name, prepare(command.sql, command.parameters));
    names.push_back(std::move(name));
  }
  auto* handle = handle_.get();
  if (::PQenterPipelineMode(handle) != 1) return broken();
  for (std::size_t i = 0; i < commands.size(); ++i)
    if (!send(commands[i], names[i])) return broken();
  if (::PQpipelineSync(handle) != 1) return broken();
  Status first;
  for (const auto& command : commands) {
    auto answer = next_answer();
    if (::PQgetResult(handle) != nullptr) return broken();  // parts the answers
    if (first) first = command.check(answer);
  }
  auto synced = next_answer();
  if (::PQexitPipelineMode(handle) != 1) return broken();
  LO_TRY(first);
  return synced.status();
}

bool Connection::lost() const { return is_useless_ || ::PQstatus(handle_.get()) != CONNECTION_OK; }

int Connection::pid() const { return ::PQbackendPID(handle_.get()); }

Result<bool> Connection::await_notification(int stop, std::chrono::milliseconds most) {
  if (take_notifications()) return true;  // which came with the answer to a query: the socket says nothing of them any more
  std::array<pollfd, 2> ends{pollfd{.fd = ::PQsocket(handle_.get()), .events = POLLIN, .revents = 0}, pollfd{.fd = stop, .events = POLLIN, .revents = 0}};
  ::poll(ends.data(), ends.size(), static_cast<int>(most.count()));
  if (::PQconsumeInput(handle_.get()) != 1) return fail(broken().error());
  return take_notifications();
}

// Whether there were any.
bool Connection::take_notifications() {
  bool notified = false;
  while (std::unique_ptr<PGnotify, void (*)(void*)> notification{::PQnotifies(handle_.get()), ::PQfreemem}) notified = true;
  return notified;
}

// Named by how it begins, for whoever looks into PostgreSQL's log.
Result<std::string> Connection::prepare(std::string_view sql, const std::vector<Parameter>& parameters) {
  if (auto known = statements_.find(sql); known != statements_.end()) return known->second;
  constexpr std::size_t kBeginning = 40;
  auto name = fmt::format("{} #{}", sql.substr(0, kBeginning), statements_.size());
  std::vector<Oid> types;
  for (const auto& parameter : parameters) types.push_back(parameter.type());
  auto answer = noted(Answer(::PQprepare(handle_.get(), name.c_str(), std::string(sql).c_str(), static_cast<int>(types.size()), types.data())));
  if (auto status = answer.status(); !status) {
    status.error().internal += fmt::format(" in: {}", sql);
    return fail(std::move(status).error());
  }
  return statements_.emplace(sql, name).first->second;
}

bool Connection::send(const Command& command, const std::string& name) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const auto& parameter : command.parameters) {
    values.push_back(parameter.data());
    lengths.push_back(parameter.size());
  }
  const std::vector<int> formats(values.size(), 1);
  constexpr int kBinary = 1;
  return ::PQsendQueryPrepared(handle_.get(), name.c_str(), static_cast<int>(values.size()), values.data(), lengths.data(), formats.data(), kBinary) == 1;
}

Answer Connection::next_answer() { return noted(Answer(::PQgetResult(handle_.get()))); }

// 25006: a transaction that may only read, which is what a server gives that was the primary; 57P01 to 57P05: it ends, or its session.
Answer Connection::noted(Answer answer) {
  auto sqlstate = answer.sqlstate();
  if (sqlstate == "25006" || sqlstate.starts_with("57P") || sqlstate.starts_with("08")) is_useless_ = true;
  return answer;
}

Status Connection::broken() {
  is_useless_ = true;
  return fail(Error{.code = Code::unavailable,
                    .message = "the catalog's database is not there now: try again",
                    .internal = fmt::format("PostgreSQL: {}", one_line(::PQerrorMessage(handle_.get())))});
}

}  // namespace lo::catalog::postgres
