#include "serve/spark_choice.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fstream>

#include "serve/connections.h"

namespace lo::serve {
namespace {

using Kind = run::SparkPlace::Kind;

constexpr const char* kTokenVariable = "SPARK_CONNECT_AUTHENTICATE_TOKEN";         // Spark's own name
constexpr const char* kRootsVariable = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH";         // gRPC's own name: authorities of certificates

std::string is_place(const std::string& text) {
  auto place = run::parse_spark_place(text);
  return place ? "" : place.error().message;
}

Result<std::string> token_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string token;
  in >> token;
  if (token.empty()) return fail(Code::io, fmt::format("{} (--spark-token-file) cannot be read, or is empty", file.string()));
  return token;
}

Result<std::string> token_of(const SparkChoice& choice, const run::SparkPlace& place, const run::Variables& variables) {
  if (choice.token_file.empty()) return place.kind == Kind::connect && !place.has_token() ? variables(kTokenVariable).value_or("") : "";
  if (place.kind != Kind::connect) return fail(Code::unacceptable, "--spark-token-file is for a server at sc://… (--spark)");
  if (place.has_token()) return fail(Code::unacceptable, "--spark has a token, and there is a --spark-token-file: give one of them");
  return token_in(choice.token_file);
}

}  // namespace

void add_spark_options(CLI::App& command, SparkChoice& choice) {
  command
      .add_option("--spark", choice.place,
                  "Where builder steps compute, instead of a Spark server in one process: a Spark Connect server, sc://HOST:PORT/;use_ssl=true, or the workers of a standalone "
                  "cluster, spark://HOST:PORT. Executors need the --store at the same path. A token=… need not stand here, where ps shows it")
      ->envname("ORCHESTRA_SPARK")
      ->check(is_place);
  command.add_option("--spark-token-file", choice.token_file, "File with the token that the sc:// server wants; also SPARK_CONNECT_AUTHENTICATE_TOKEN")
      ->envname("ORCHESTRA_SPARK_TOKEN_FILE");
  command.add_option("--spark-defaults", choice.defaults, "File of Spark's settings as spark-defaults.conf, such as spark.executor.memory, but for an sc:// server")
      ->envname("ORCHESTRA_SPARK_DEFAULTS");
}

Result<run::SparkOptions> read_spark(const SparkChoice& choice, const std::vector<std::string>& environment) {
  auto variables = variables_in(environment);
  run::SparkOptions spark;
  LO_ASSIGN(spark.place, run::parse_spark_place(choice.place));
  LO_ASSIGN(spark.place.token, token_of(choice, spark.place, variables));
  if (!choice.defaults.empty() && spark.place.kind == Kind::connect)
    return fail(Code::unacceptable, "--spark-defaults is not for a server at sc://… (--spark): that has its own");
  if (!choice.defaults.empty()) spark.defaults = std::filesystem::absolute(choice.defaults);
  if (auto roots = variables(kRootsVariable)) spark.environment.push_back(fmt::format("{}={}", kRootsVariable, *roots));
  return spark;
}

}  // namespace lo::serve
