// libpq made safe: owners, Results instead of codes, prepared statements kept, a pipeline. Nothing of our schema here.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/postgres/answer.h"
#include "catalog/postgres/parameter.h"

struct pg_conn;

namespace lo::catalog::postgres {

// A statement, and what its answer means: by itself only that an error is one.
struct Command {
  std::string sql;
  std::vector<Parameter> parameters = {};
  std::function<Status(Answer&)> check = [](Answer& answer) { return answer.status(); };
};

// One connection. Used by one thread at a time. What was lost never comes back: a new one has to be opened.
class Connection {
 public:
  // `url` goes to libpq unchanged, "postgresql://…" or "host=… dbname=…", several hosts included. Where it does not say otherwise, a try
  // ends after 5 s, and a peer that is gone without a word is noticed within 20 s. Code::unavailable with one line that names --catalog and no
  // password when there is no connection; Code::unacceptable when the text is no connection string, or the server not one for us.
  static Result<Connection> open(const std::string& url);

  // Runs statements without parameters; their rows are dropped.
  Status execute(const std::string& sql);

  // One statement, prepared once and kept. All its rows are in memory when it returns.
  template <class... Parameters>
  Result<Answer> query(std::string_view sql, const Parameters&... parameters) {
    return run(sql, {Parameter(parameters)...});
  }
  Result<Answer> run(std::string_view sql, const std::vector<Parameter>& parameters);

  // The one number that a statement gives.
  Result<std::int64_t> number(std::string_view sql);

  // All of them in as few round trips as that many take; after one that PostgreSQL refuses the rest are not run. Gives the first error of
  // their checks.
  Status run_together(std::span<const Command> commands);

  // After an error: whether the connection is of no more use. So it is, too, when its server has become one that cannot be written to.
  bool lost() const;

  int pid() const;  // of the process that serves it there

  // After LISTEN: waits for a notification, for `most` at the longest, or until `stop`, a descriptor, can be read. True when one has come since the
  // last call.
  Result<bool> await_notification(int stop, std::chrono::milliseconds most);

 private:
  struct Finish {
    void operator()(pg_conn* handle) const;
  };

  explicit Connection(pg_conn* handle) : handle_(handle) {}
  Result<std::string> prepare(std::string_view sql, const std::vector<Parameter>& parameters);
  Status run_piece(std::span<const Command> commands);
  bool send(const Command& command, const std::string& name);
  Answer next_answer();
  bool take_notifications();
  Answer noted(Answer answer);
  Status broken();

  std::unique_ptr<pg_conn, Finish> handle_;
  std::map<std::string, std::string, std::less<>> statements_;  // their names
  bool is_useless_ = false;
};

}  // namespace lo::catalog::postgres
