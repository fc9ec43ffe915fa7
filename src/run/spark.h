// What builder jobs compute on, whoever runs it.
#pragma once

#include <functional>
#include <memory>

#include "run/job_files.h"

namespace lo::run {

// Lives on the strand.
class Spark {
 public:
  using Acquired = std::function<void(Result<SparkTarget>)>;

  virtual ~Spark() = default;

  // Gives a target with a new session once the server can be reached. Each target that was given counts as in use until release().
  virtual void acquire(Acquired acquired) = 0;
  virtual void release() = 0;

  // Whether what was begun on a target may still run there.
  virtual bool is_up() const = 0;

  virtual void stop(std::function<void()> done) = 0;
};

// As the options say. `died(why)` after an end that nobody asked for: what ran on it is lost.
std::shared_ptr<Spark> make_spark(const std::shared_ptr<RunContext>& context, std::function<void(const std::string& why)> died);

}  // namespace lo::run
