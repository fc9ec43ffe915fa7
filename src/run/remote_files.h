// Files that a process of their own reads, by Python libraries: s3:// and hdfs://. So the server links no AWS SDK and no client of HDFS, and
// user code sees neither credentials nor these processes' environment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/source.h"
#include "run/run_context.h"

namespace lo::run {

// Gives the value of an environment variable; nothing when it is not set.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

// Whether the environment names credentials for S3 in one of the ways that AWS's tools know, but for those of a machine in Amazon's cloud.
bool has_s3_credentials(const Variables& variables);

// Of `all` ("NAME=value"), what concerns S3, Hadoop, Kerberos and certificates.
std::vector<std::string> remote_environment(const std::vector<std::string>& all);

// Starts a process that reads `url` and waits until it has begun to: its size is known then. Reading gives the error that the process met,
// Code::io when it dies, Code::timeout when nothing comes for five minutes, Code::cancelled at once when `stop` asks for it. Destroying the source
// ends the process. Call it on a thread of a pool, never on the strand.
Result<dataset::Source> open_remote(const std::shared_ptr<RunContext>& context, const std::string& url, std::stop_token stop);

}  // namespace lo::run
