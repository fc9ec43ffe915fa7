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

// What members of a group LISTEN to: the notifications of commits in this connection's schema.
Result<std::string> channel_of(Connection& connection);

// The epoch that has begun last, and where its server answers others; "" when it is alone.
struct Epoch {
  std::int64_t number = 0;
  std::string address = {};
};
Result<Epoch> read_epoch(Connection& connection);

// Takes the lock of the catalog if nobody has it now.
Result<bool> try_lock_catalog(Connection& connection);

// Makes or migrates the tables, as one who holds the catalog for the time. Code::conflict when another server holds it for `patience` more.
Status make_tables(const std::string& url, std::chrono::milliseconds patience);

// From now on the connection holds the address: no other one can. Code::conflict when one has it for `patience` more.
Status take_address(Connection& connection, const std::string& address, std::chrono::milliseconds patience);

class Session {
 public:
  // Takes the lock, makes or migrates the tables, begins an epoch. Code::conflict when another server holds the catalog for `patience` more: one
  // that was killed is let go of by PostgreSQL a moment later. `address`: where this server answers the others of its group, who are notified of what
  // is committed; "" when it is alone.
  static Result<Session> open(const std::string& url, std::chrono::milliseconds patience, const std::string& address = "");

  // The same with a connection that has taken the lock (try_lock_catalog).
  static Result<Session> begin(const std::string& url, Connection connection, const std::string& address);

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

  // What stands last in each transaction of a group's member: wakes the others when it is committed. Nothing when there are none.
  std::optional<Command> notify_group() const;

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
  Status begin_epoch(const std::string& address);
  Status remember_self();
  std::unexpected<Error> refuse_overtaken();
  Status end_own_remains(Connection& connection) const;

  std::string url_;
  std::optional<Connection> connection_;
  std::int64_t epoch_ = 0;
  std::string address_, channel_;  // of this server, and what is notified; "" when it is alone
  bool is_overtaken_ = false;
  std::optional<Owner> seen_;  // at the last regain()
  int pid_ = 0;                // of the process that serves the connection, and when it began
  std::string began_;
};

}  // namespace lo::catalog::postgres
