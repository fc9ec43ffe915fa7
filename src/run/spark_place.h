// Where builder steps compute, as --spark says it: pure text.
#pragma once

#include <string>

#include "base/error.h"

namespace lo::run {

struct SparkPlace {
  enum class Kind {
    local,       // in a Spark server of this server's own
    standalone,  // in the executors of a standalone cluster, which such a server drives
    connect,     // in a Spark Connect server of somebody else's
  };
  Kind kind = Kind::local;
  std::string url;    // "spark://HOST:PORT", or "sc://HOST:PORT/;use_ssl=true;…", which may hold a token: nobody is shown it
  std::string token;  // for a Connect server, when it is not in the URL; "" = none

  // "sc://HOST:PORT", fit for people; "" for Kind::local.
  std::string shown() const;

  // As messages name it: "the Spark server sc://HOST:PORT (--spark)", "the Spark server".
  std::string name() const;

  bool has_token() const;
};

// From "" (local), spark://HOST:PORT[,HOST:PORT…] or sc://HOST[:PORT][/;NAME=VALUE…]. Code::unacceptable with a text that repeats nothing that
// may be a secret.
Result<SparkPlace> parse_spark_place(const std::string& text);

}  // namespace lo::run
