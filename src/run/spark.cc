#include "run/spark.h"

#include "run/spark_endpoint.h"
#include "run/spark_server.h"

namespace lo::run {

std::shared_ptr<Spark> make_spark(const std::shared_ptr<RunContext>& context, std::function<void(const std::string&)> died) {
  if (context->options.spark.place.kind != SparkPlace::Kind::connect) return std::make_shared<SparkServer>(context, std::move(died));
  auto endpoint = std::make_shared<SparkEndpoint>(context);
  endpoint->watch();
  return endpoint;
}

}  // namespace lo::run
