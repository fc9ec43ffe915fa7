// The one connection that writes, and its right to: an advisory lock of PostgreSQL, which goes with the connection, and an epoch in the table
// `owner`, which outlives it. Each server that opens the catalog begins a new epoch; every transaction checks that it is still its own. So a
// server that was cut off and overtaken by another one commits nothing, whatever it believes of its lock.
#pragma once

#include <chrono>
#include <optional>

#include "catalog/postgres/connection.h"

namespace lo::catalog::postgres {

// Whether somebody holds the catalog of this connection's schema now. Takes nothing.
Result<bool> is_held(Connection& connection);

class Session {
 public:
  // Takes the lock, makes or migrates the tables, begins an epoch. Code::conflict when another server holds the catalog for `patience` more: one
  // that was killed is let go of by PostgreSQL a moment later.
  static Result<Session> open(const std::string& url, std::chrono::milliseconds patience);

  Connection& connection() { return *connection_; }
  std::int64_t epoch() const { return epoch_; }

  bool is_there() const { return connection_ && !connection_->lost(); }
  Status check() const;  // why nothing can be written now

  // Another server has begun an epoch: nothing can be written any more, for good.
  bool is_overtaken() const { return is_overtaken_; }

  // One try to connect again and to take the lock again. Code::unavailable when it cannot be had now, or is_overtaken().
  Status regain();

  // What stands first in each transaction: notes that it is the group's of this number. Fails when it finds that the epoch is over. The session must
  // not be moved before it is run.
  Command note_group(std::int64_t number);

  // Whether that transaction of this epoch was committed. It is known after regain(), even when that found the epoch over, unless two servers
  // have begun one.
  std::optional<bool> is_committed(std::int64_t number) const;

 private:
  // What the table `owner` says.
  struct Owner {
    std::int64_t epoch = 0, groups = 0;                // now, and how many groups it has committed
    std::int64_t epoch_before = 0, groups_before = 0;
  };

  Session(std::string url, Connection connection) : url_(std::move(url)), connection_(std::move(connection)) {}
  static Result<Owner> read_owner(Connection& connection);
  Status begin_epoch();
  Status remember_self();
  std::unexpected<Error> refuse_overtaken();
  Status end_own_remains(Connection& connection) const;

  std::string url_;
  std::optional<Connection> connection_;
  std::int64_t epoch_ = 0;
  bool is_overtaken_ = false;
  std::optional<Owner> seen_;  // at the last regain()
  int pid_ = 0;                // of the process that serves the connection, and when it began
  std::string began_;
};

}  // namespace lo::catalog::postgres
