// The options of `orchestra serve`.
#pragma once

#include <CLI/App.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lo::serve {

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;                        // 0: any free one
  std::filesystem::path token_file;                 // of those who may connect; "" = everybody on this machine
  std::filesystem::path tls_certificate;            // PEM, with those between it and its authority; "" = plain HTTP
  std::filesystem::path tls_key;                    // PEM
  bool behind_proxy = false;                        // which speaks TLS to the clients
  std::vector<std::string> allowed_hosts;           // values of Host besides those of this machine
  std::vector<std::string> allowed_urls;            // private networks that URLs may lead to where there are tokens: "10.0.0.0/8"
  std::filesystem::path data = "./orchestra-data";
  std::string catalog;                              // postgresql://…; "" = a file in `data`
  std::string advertise;                            // where other servers of the same catalog reach this one, "http://10.1.0.7:8000"; "" = it is alone
  std::filesystem::path port_file;                  // where the bound port is written once requests are taken; "" = nowhere
  std::filesystem::path home;                       // the folder that holds runtime/python
  std::filesystem::path python = "python3";         // of the `python` environment
  std::filesystem::path spark_python;               // of the `spark` environment; "" = the same
  std::filesystem::path tensorflow_python;          // of the `tensorflow` environment; "" = made when a step first needs it
  std::filesystem::path sql_python;                 // of the `sql` environment; "" likewise
  std::filesystem::path connections;                // file of databases by name; "" = none but those of the environment
  std::string store;                                // folder, file:///… or s3://… of the results; "" = in the data folder
  std::int64_t store_cache = std::int64_t{10} << 30;  // bytes of results in a bucket that are kept here, too
  std::vector<std::string> hdfs;                    // name nodes that datasets may come from, each "host:port"
  std::string spark_url;                            // "sc://host:port"; "" = a local Spark Connect server
  std::string spark_memory = "1g";
  double spark_idle_minutes = 15;
  double cpus = 0;                                  // running jobs take one each; 0 = as many as the machine has, at least 2
  int gpus = 0;                                     // devices that steps may ask for
  std::optional<std::int64_t> memory;               // bytes a step may take that does not say
  std::vector<std::string> tool_modules;            // may be called by the services of every tool, with what lies below them
  double grace = 5;                                 // seconds between SIGTERM and SIGKILL of a step
  std::vector<double> webhook_retry;                // seconds between tries; empty = observe::RetrySchedule's
  double idempotency_hours = 24;                    // for which the answer to an Idempotency-Key is kept
  std::optional<int> keep_revisions;                // of each step; missing = all
  std::optional<double> keep_revisions_days;        // superseded ones, since they ended
  std::optional<double> keep_logs_days;
  std::optional<std::int64_t> keep_logs_bytes;      // of all logs together
  std::int64_t keep_events = 1'000'000;
  double housekeeping_minutes = 10;                 // between two rounds
  double disk_full_percent = 95;                    // from which on no step is taken in
  std::string log_level = "info";
};

// Adds the command with its options, also read from ORCHESTRA_HOME, ORCHESTRA_CATALOG, ORCHESTRA_ADVERTISE, ORCHESTRA_PYTHON, ORCHESTRA_SPARK_PYTHON, ORCHESTRA_TENSORFLOW_PYTHON,
// ORCHESTRA_SQL_PYTHON. `options` outlives the
// parsing.
CLI::App* add_serve_command(CLI::App& app, Options& options);

}  // namespace lo::serve
