// A server that the client starts for itself and stops with itself.
//
// Threads: one. Waits end with Code::cancelled when interrupted.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "cli/interrupt.h"

namespace lo::cli {

struct OwnServerOptions {
  std::filesystem::path program = "/proc/self/exe";
  std::filesystem::path data;  // made when it is not there; server.log lies in it
  std::chrono::milliseconds start_limit{60'000};
  std::chrono::milliseconds stop_limit{12'000};  // from SIGTERM to SIGKILL
};

class OwnServer {
 public:
  OwnServer(OwnServer&& other) noexcept;
  OwnServer& operator=(OwnServer&&) = delete;
  ~OwnServer();  // stop()

  const std::string& url() const { return url_; }

  // "" while it lives; else what it said last.
  std::string obituary() const;

  // SIGTERM, and SIGKILL when it does not end in time. Waits for its end. Also when interrupted.
  void stop();

 private:
  friend class OwnServerStart;
  OwnServer(OwnServerOptions options, pid_t pid, UniqueFd pidfd, std::int64_t log_begin);

  OwnServerOptions options_;
  pid_t pid_ = -1;  // -1 once it is reaped
  UniqueFd pidfd_;
  std::int64_t log_begin_ = 0;  // where its part of server.log begins
  std::string url_;
};

// A server that answers at `url`: our own, or the one that holds the data folder already.
struct ServerAtHand {
  std::string url;
  std::optional<OwnServer> own;
};

// Runs `program serve --port 0 --data DIR --port-file FILE` and waits until it accepts. Exit status 3 means that another server
// holds the folder: its URL stands in DIR/server.url. Code::io, with the last lines of the log, when it does not start.
Result<ServerAtHand> start_own_server(OwnServerOptions options, const Interrupt& interrupt);

}  // namespace lo::cli
