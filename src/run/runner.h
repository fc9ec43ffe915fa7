// Runs the engine's jobs: native operations on threads of a BlockingPool, all user code in processes of its own, forked from warm
// fork servers (runtime/python/PROTOCOL.md). See README.md for who lives where.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/async.h"
#include "dataset/location.h"
#include "dataset/source.h"
#include "engine/runner.h"
#include "store/store.h"

namespace lo::run {

// What a native operation may use while it runs on a thread of the pool. `stop` is set when the job is stopped or timed out: the
// operation then returns soon, with Code::cancelled. `progress` may be called from the operation's own thread.
struct NativeContext {
  std::stop_token stop;
  std::function<void(json::object)> progress;
  std::function<Result<dataset::Source>(const std::string& url)> open_remote;  // of s3:// and hdfs://, see remote_files.h
};

// For files at s3:// and hdfs://.
struct RemoteOptions {
  dataset::RemotePolicy policy;
  std::vector<std::string> environment;  // "NAME=value": credentials and the like, for the processes that read such files, and for no others
};

// Makes the result of a one-member job into files of `staging`. The outcome's manifest is a draft (digest and bytes of the parts
// may be missing): the runner publishes it. Blocks. An Error fails the member with the error's message.
using NativeOperation =
    std::function<Result<engine::Outcome>(const engine::JobRequest&, const store::Staging&, NativeContext&)>;

// How to start the Python side.
struct PythonOptions {
  std::filesystem::path runtime;       // the folder of orchestra_forkserver.py and orchestra_spark_server.py
  std::filesystem::path python;        // interpreter of the kinds bare and scientific
  std::filesystem::path spark_python;  // interpreter of the kind spark, and of the local Spark server
  std::filesystem::path tensorflow_python;  // interpreter of the kind tensorflow; "" = its environment is made when it is first needed
  std::filesystem::path sql_python;    // interpreter of the kind sql; "" likewise
  std::filesystem::path home;          // the folder of the `orchestra` script, which makes environments
  std::vector<std::string> tool_modules;  // prefixes that the services of every tool may call besides the tool's own
  std::optional<std::vector<std::string>> private_networks = {};  // that workers may fetch URLs from; nothing: from all
  std::filesystem::path java_home;     // "" = java is looked for on PATH
  std::chrono::milliseconds idle = std::chrono::minutes{15};  // a fork server without jobs is let go after so long; bare stays
  std::chrono::milliseconds start_timeout = std::chrono::seconds{60};  // a fork server that is not ready by then is killed
};

struct SparkOptions {
  std::string url;           // "sc://host:port" of a cluster; "" = a local server, started on first use
  std::string token;         // the cluster's authentication token, if it wants one
  std::string memory = "1g"; // heap of the local server, as java -Xmx takes it
  std::chrono::milliseconds idle = std::chrono::minutes{15};  // the local server is stopped after so long without a job
  std::chrono::milliseconds start_timeout = std::chrono::seconds{90};
};

struct RunOptions {
  asio::any_io_executor executor;  // the I/O threads
  BlockingPool* pool = nullptr;         // short blocking work: staging, publishing, logs. Outlives the runner
  BlockingPool* native_pool = nullptr;  // native operations, minutes long. Outlives the runner
  store::Store* store = nullptr;        // outlives the runner
  std::filesystem::path data;           // logs/, run/ and spark/ are made below it

  std::map<std::string, NativeOperation, std::less<>> native;  // by operation: "dataset/csv", …
  PythonOptions python;
  SparkOptions spark;
  RemoteOptions remote;
  std::map<std::string, std::string> connections;  // databases by the names that requests have: URLs with passwords, for steps that ask them alone

  std::optional<std::int64_t> memory_bytes;  // limit of a job that states none; default: the machine's memory less a reserve
  int gpus = 0;                              // how many there are for jobs to ask for; 0 = nothing is said to them about devices
  int max_processes = 4096;                  // of a job, threads included, where cgroups can be made
  bool cgroups = true;                       // use them where they can be made
  std::chrono::milliseconds grace = std::chrono::seconds{5};  // between SIGTERM and SIGKILL
  std::int64_t log_bytes = std::int64_t{64} << 20;            // of one attempt; first and last half are kept

  // Called when a log has grown, from any thread; the file is log_path(data, key, attempt) of run/log_writer.h.
  std::function<void(engine::RevisionKey key, int attempt)> log_grew;

  // Called when status() has changed, from any thread.
  std::function<void()> status_changed;
};

// A runner over these options. Sets the process to be a subreaper and clears what a dead server with the same data left behind
// (run/, spark/, cgroups, processes): call it once per process, from main, and only while holding the data folder's lock: the
// workers of a living server with the same data would be killed. Blocks shortly.
// Destroying the runner without shutdown() closes its sockets, at which the processes end by themselves; its executor must
// not run any more by then.
Result<std::unique_ptr<engine::Runner>> make_runner(RunOptions options);

}  // namespace lo::run
