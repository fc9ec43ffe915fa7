#include "serve/options.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <regex>

namespace lo::serve {
namespace {

// "" when it is the name of a module, else what is wrong.
std::string is_module(const std::string& text) {
  static const std::regex name("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*");
  return std::regex_match(text, name) ? "" : "\"" + text + "\" is no name of a module, such as mylab.models";
}

}  // namespace

CLI::App* add_serve_command(CLI::App& app, Options& options) {
  auto* serve = app.add_subcommand("serve", "Run the server");
  serve->add_option("--host", options.host, "Address to bind: loopback only")->capture_default_str();
  serve->add_option("--port", options.port, "Port to bind; 0 takes any free one")->capture_default_str();
  serve->add_option("--data", options.data, "Folder for everything the server keeps")->capture_default_str();
  serve->add_option("--port-file", options.port_file, "File to write the bound port to");
  serve->add_option("--home", options.home, "Folder that holds runtime/python")->envname("ORCHESTRA_HOME");
  serve->add_option("--python", options.python, "Python of the steps")->envname("ORCHESTRA_PYTHON")->capture_default_str();
  serve->add_option("--spark-python", options.spark_python, "Python of the Spark steps")->envname("ORCHESTRA_SPARK_PYTHON");
  serve->add_option("--tensorflow-python", options.tensorflow_python, "Python of the TensorFlow steps; without it, made when needed")
      ->envname("ORCHESTRA_TENSORFLOW_PYTHON");
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
  serve->add_option("--log-level", options.log_level, "debug, info, warn or error")->capture_default_str();
  return serve;
}

}  // namespace lo::serve
