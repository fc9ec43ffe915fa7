// For tests: an empty database, which goes with its owner.
#pragma once

#include <gtest/gtest.h>

#include <atomic>

#include "catalog/postgres/connection.h"
#include "catalog/postgres/testing/private_server.h"

namespace lo::catalog::postgres {

class Database {
 public:
  explicit Database(PrivateServer& server = PrivateServer::shared()) : server_(server), name_(fmt::format("test_{}", ++made())) {
    EXPECT_TRUE(administer("CREATE DATABASE " + name_));
  }
  ~Database() { EXPECT_TRUE(administer("DROP DATABASE " + name_ + " WITH (FORCE)")); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& name() const { return name_; }
  std::string url() const { return server_.url(name_); }
  Connection connect() const { return Connection::open(url()).value(); }

  // Cuts the connection that writes, and waits until its process is gone.
  void end_writer() const {
    auto connection = connect();
    auto ended = connection.number("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
                                   "database = (SELECT oid FROM pg_database WHERE datname = current_database())");
    EXPECT_EQ(ended.value(), 1);
  }

  // The same for all connections but the asking one.
  void end_all() const {
    auto connection = connect();
    EXPECT_TRUE(connection.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"));
  }

 private:
  static std::atomic<int>& made() {
    static std::atomic<int> count = 0;
    return count;
  }
  Status administer(const std::string& sql) const { return Connection::open(server_.url("postgres")).value().execute(sql); }

  PrivateServer& server_;
  std::string name_;
};

}  // namespace lo::catalog::postgres
