// For tests: a server with routes that must not be reached.
#pragma once

#include <atomic>

#include "http/server_fixture.h"

namespace lo::http {

class AttackTest : public ServerTest {
 protected:
  void SetUp() override {
    add("GET", "/", counted());
    add("GET", "/files/{name}", counted());
    add("POST", "/", counted());
    add("PATCH", "/", counted());
    add("POST", "/upload", counted()).content_types = {"*"};
  }

  Handler counted() {
    return [this](Request& request) {
      ++handled_;
      return echo(request);
    };
  }

  // Sends raw bytes; expects the status, that no handler ran, and that the connection is closed after it.
  void expect_refused(std::string_view bytes, unsigned status) {
    SCOPED_TRACE(bytes.substr(0, 300));
    auto client = connect();
    client.send(bytes);
    auto reply = client.reply();
    EXPECT_EQ(reply.result_int(), status) << reply.body();
    EXPECT_EQ(reply["Connection"], "close");
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(handled_, 0);
  }

  std::string with_host(std::string_view lines) {
    return fmt::format("POST / HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\n{}", server_->port(), lines);
  }

  std::atomic<int> handled_ = 0;
};

}  // namespace lo::http
