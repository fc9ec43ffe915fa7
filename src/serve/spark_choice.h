// What --spark and the options beside it say of where builder steps compute: for the server, and for `orchestra doctor`.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "run/runner.h"

namespace lo::serve {

struct SparkChoice {
  std::string place;                 // sc://HOST:PORT…, spark://HOST:PORT; "" = a Spark server of this server's own
  std::filesystem::path token_file;  // of an sc:// server; "" = in the URL, in the variable SPARK_CONNECT_AUTHENTICATE_TOKEN, or none
  std::filesystem::path defaults;    // settings of Spark for a server of this one's own; "" = none
};

// Adds --spark, --spark-token-file and --spark-defaults, also read from ORCHESTRA_SPARK, ORCHESTRA_SPARK_TOKEN_FILE, ORCHESTRA_SPARK_DEFAULTS.
void add_spark_options(CLI::App& command, SparkChoice& choice);

// What the choice means for the runner, with what the environment ("NAME=value" each) says besides. Errors name the option and no secret.
Result<run::SparkOptions> read_spark(const SparkChoice& choice, const std::vector<std::string>& environment);

}  // namespace lo::serve
