#include "serve/options.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <regex>

#include "catalog/postgres/url.h"
#include "dataset/network.h"
#include "http/guard.h"
#include "http/upstream.h"
#include "serve/store_place.h"

namespace lo::serve {
namespace {

// "" when it is the name of a module, else what is wrong.
std::string is_module(const std::string& text) {
  static const std::regex name("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*");
  return std::regex_match(text, name) ? "" : "\"" + text + "\" is no name of a module, such as mylab.models";
}

std::string is_host(const std::string& text) { return http::is_host_value(text) ? "" : "\"" + text + "\" is no host, such as orchestra.example.org or 10.1.2.3:8443"; }

std::string is_network(const std::string& text) {
  auto network = dataset::parse_network(text);
  return network ? "" : network.error().message;
}

// Repeats nothing: any part of it may be a password.
std::string is_catalog(const std::string& text) {
  if (text.empty() || catalog::postgres::is_postgres_url(text)) return "";
  return "it is not of the form postgresql://USER@HOST:PORT/DATABASE";
}

// "" when it is "host:port", else what is wrong.
std::string is_host_and_port(const std::string& text) {
  static const std::regex pair("[A-Za-z0-9._-]+:[0-9]{1,5}");
  return std::regex_match(text, pair) ? "" : "\"" + text + "\" is no HOST:PORT, such as names.example.org:8020";
}

// Where datasets may come from, besides the web.
void add_source_options(CLI::App& serve, Options& options) {
  serve
      .add_option("--connections", options.connections,
                  "File of the databases that dataset/sql may ask, YAML or JSON: a name and a URL (postgresql:// or sqlite:////) each; also ORCHESTRA_CONNECTION_<NAME>")
      ->check(CLI::ExistingFile);
  serve
      .add_option("--hdfs", options.hdfs, "HOST:PORT of an HDFS name node that datasets may come from (hdfs://HOST:PORT/PATH); can be given again")
      ->check(is_host_and_port);
}

// What housekeeping leaves, and when it comes.
void add_keep_options(CLI::App& serve, Options& options) {
  constexpr double kMostDays = 36'500;
  serve.add_option("--idempotency-hours", options.idempotency_hours, "Hours for which a repeat of a request with an Idempotency-Key gets its answer again")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 8760.0));
  serve
      .add_option("--keep-revisions", options.keep_revisions,
                  "How many revisions of each step are kept, the newest; the newest result and what other steps were made from in any case "
                  "(default: all)")
      ->check(CLI::Range(1, 1'000'000'000));
  serve.add_option("--keep-revisions-days", options.keep_revisions_days, "Days for which superseded revisions are kept (default: for ever)")
      ->check(CLI::Range(0.0, kMostDays));
  serve.add_option("--keep-logs-days", options.keep_logs_days, "Days for which logs of ended attempts are kept (default: as long as their steps)")
      ->check(CLI::Range(0.0, kMostDays));
  serve.add_option("--keep-logs-bytes", options.keep_logs_bytes, "Bytes that all logs together may take; the oldest go first (default: no limit)")
      ->transform(CLI::AsSizeValue(false));
  serve.add_option("--keep-events", options.keep_events, "How many events are kept for streams and webhooks; 100000 at least")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  serve.add_option("--housekeeping-minutes", options.housekeeping_minutes, "Minutes between two rounds of removing what is not kept")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 10'080.0));
  serve.add_option("--disk-full-percent", options.disk_full_percent, "From how full the disk is on no more steps are taken in")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
}

void add_access_options(CLI::App& serve, Options& options) {
  serve.add_option("--token-file", options.token_file,
                   "File of those who may connect, as `orchestra token` writes it: each request but /health and /ready then needs a bearer token. "
                   "Without it everybody on this machine may connect");
  auto* certificate = serve.add_option("--tls-certificate", options.tls_certificate,
                                       "PEM file of the server's certificate, with those between it and its authority: the server then speaks HTTPS")
                          ->check(CLI::ExistingFile);
  auto* key = serve.add_option("--tls-key", options.tls_key, "PEM file of the certificate's private key")->check(CLI::ExistingFile);
  certificate->needs(key);
  key->needs(certificate);
  serve.add_flag("--behind-proxy", options.behind_proxy, "A proxy before the server speaks TLS to the clients");
  serve.add_option("--allowed-host", options.allowed_hosts, "Value of Host to answer to, such as orchestra.example.org, besides localhost; can be given again")
      ->check(is_host);
  serve.add_option("--allow-url", options.allowed_urls,
                   "Network, such as 10.1.0.0/16, of this machine or a private one that URLs of requests may lead to although there is a --token-file; "
                   "can be given again")
      ->check(is_network);
}

// What a server among others needs.
void add_group_options(CLI::App& serve, Options& options) {
  serve
      .add_option("--advertise", options.advertise,
                  "Address at which other servers reach this one, such as http://10.1.0.7:8000: several with the same --catalog and --store then share the work, and "
                  "one that dies is replaced by another")
      ->envname("ORCHESTRA_ADVERTISE")
      ->check([](const std::string& text) { return text.empty() ? "" : http::is_server_address(text); });
}

}  // namespace

CLI::App* add_serve_command(CLI::App& app, Options& options) {
  auto* serve = app.add_subcommand("serve", "Run the server");
  serve->add_option("--host", options.host, "Address to bind; beyond loopback it needs --token-file, and --tls-certificate or --behind-proxy")->capture_default_str();
  serve->add_option("--port", options.port, "Port to bind; 0 takes any free one")->capture_default_str();
  serve->add_option("--data", options.data, "Folder for everything the server keeps")->capture_default_str();
  serve
      ->add_option("--catalog", options.catalog,
                   "PostgreSQL 15 or newer to keep the catalog in, postgresql://USER@HOST:PORT/DATABASE, instead of a file in the data folder. A password need not stand "
                   "here, where ps shows it: ~/.pgpass and PGPASSWORD work, or the whole URL in the variable")
      ->envname("ORCHESTRA_CATALOG")
      ->check(is_catalog);
  serve
      ->add_option("--store", options.store,
                   "Folder to keep results in, also file:///FOLDER, such as a mount that other machines have, too, instead of one in the data folder; or s3://BUCKET/PREFIX, with "
                   "credentials and address from the variables of AWS's tools")
      ->envname("ORCHESTRA_STORE")
      ->check([](const std::string& text) { return text.empty() ? "" : is_store(text); });
  serve->add_option("--store-cache", options.store_cache, "Bytes of results in a bucket that are kept in the data folder, too (default: 10GB)")
      ->transform(CLI::AsSizeValue(false));
  add_group_options(*serve, options);
  serve->add_option("--port-file", options.port_file, "File to write the bound port to");
  serve->add_option("--home", options.home, "Folder that holds runtime/python")->envname("ORCHESTRA_HOME");
  serve->add_option("--python", options.python, "Python of the steps")->envname("ORCHESTRA_PYTHON")->capture_default_str();
  serve->add_option("--spark-python", options.spark_python, "Python of the Spark steps")->envname("ORCHESTRA_SPARK_PYTHON");
  serve->add_option("--tensorflow-python", options.tensorflow_python, "Python of the TensorFlow steps; without it, made when needed")
      ->envname("ORCHESTRA_TENSORFLOW_PYTHON");
  serve->add_option("--sql-python", options.sql_python, "Python of the dataset/sql steps; without it, made when needed")->envname("ORCHESTRA_SQL_PYTHON");
  add_source_options(*serve, options);
  serve->add_option("--spark", options.spark_url, "Spark Connect server to use (sc://host:port) instead of a local one");
  serve->add_option("--spark-memory", options.spark_memory, "Heap of the local Spark server")->capture_default_str();
  serve->add_option("--spark-idle", options.spark_idle_minutes, "Minutes after which an idle local Spark server is stopped")
      ->capture_default_str();
  serve->add_option("--cpus", options.cpus, "How many jobs run side by side (0: one per core, at least 2)")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 4096.0));
  serve->add_option("--gpus", options.gpus, "How many GPUs steps may ask for; each has those that it asked for, and others see none")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  serve->add_option("--memory", options.memory, "Bytes that a step may take which states no limit")
      ->transform(CLI::AsSizeValue(false));
  serve
      ->add_option("--tool-module", options.tool_modules,
                   "Module that model, train, transform and the other services may call besides their tool's own, with those below it; can be given again")
      ->check(is_module);
  serve->add_option("--grace", options.grace, "Seconds that a step has to end by itself when it is stopped")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 60.0));
  serve
      ->add_option("--webhook-retry", options.webhook_retry,
                   "Seconds after which a webhook's call that failed is tried again, parted by commas; then the webhook is disabled "
                   "(default: 5,300,1800,7200,18000,36000,50400,72000,86400)")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 604800.0));
  add_access_options(*serve, options);
  add_keep_options(*serve, options);
  serve->add_option("--log-level", options.log_level, "debug, info, warn or error")->capture_default_str();
  return serve;
}

}  // namespace lo::serve
