#include "catalog/postgres/copy.h"

#include <fmt/format.h>

#include "catalog/postgres/changes.h"
#include "catalog/postgres/reader.h"
#include "catalog/postgres/session.h"

namespace lo::catalog {
namespace {

using postgres::Command;
using postgres::Connection;
using postgres::Session;

constexpr std::size_t kCommandsAtOnce = 1000;

// Sends in pieces, so that memory is that of a piece.
class Filling {
 public:
  explicit Filling(Connection& connection) : connection_(connection) {}

  Status take(const Part& part) {
    auto last_event = part.last_event;
    std::vector<Event> told;
    postgres::append_commands(part.changes, last_event, commands_, told);
    return commands_.size() < kCommandsAtOnce ? Status{} : send();
  }

  Status send() {
    auto status = connection_.run_together(commands_);
    commands_.clear();
    return status;
  }

 private:
  Connection& connection_;
  std::vector<Command> commands_;
};

Result<bool> is_empty(Connection& connection) {
  for (auto table : {"step", "workflow", "receipt", "event", "subscription"}) {
    LO_ASSIGN(auto rows, connection.number(fmt::format("SELECT count(*) FROM (SELECT FROM {} LIMIT 1) AS first_row", table)));
    if (rows > 0) return false;
  }
  return true;
}

Status fill(Connection& connection, const GiveContents& give) {
  LO_ASSIGN(auto empty, is_empty(connection));
  if (!empty) return fail(Code::conflict, "the catalog in the PostgreSQL holds something already: a copy goes into an empty one");
  Filling filling(connection);
  LO_ASSIGN(auto boots, give([&](const Part& part) { return filling.take(part); }));
  LO_TRY(filling.send());
  LO_ASSIGN(auto noted, connection.query("UPDATE owner SET epoch = greatest(epoch, $1), groups = 0", boots));
  return noted.status();
}

}  // namespace

Result<std::int64_t> give_postgres_contents(const std::string& url, const TakePart& take) {
  LO_ASSIGN(auto session, Session::open(url, kCopyPatience));
  LO_ASSIGN(auto connection, Connection::open(url));
  postgres::Reader reader(std::move(connection));
  LO_TRY(contents::give_all(reader, take));
  return session.epoch();
}

Result<bool> is_empty_postgres_catalog(const std::string& url) {
  LO_ASSIGN(auto session, Session::open(url, kCopyPatience));
  return is_empty(session.connection());
}

Status fill_postgres_catalog(const std::string& url, const GiveContents& give, std::chrono::milliseconds patience) {
  LO_ASSIGN(auto session, Session::open(url, patience));
  auto& connection = session.connection();
  LO_TRY(connection.execute("BEGIN"));
  auto filled = fill(connection, give);
  auto ended = connection.execute(filled ? "COMMIT" : "ROLLBACK");
  return filled ? ended : filled;
}

}  // namespace lo::catalog
