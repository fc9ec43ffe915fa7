// A thread that is joined by its destructor. The only place where a thread of our own is begun: everything else is built on
// this, on BlockingPool, or on the threads that run the I/O.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace lo {

class NamedThread {
 public:
  // Runs `body` at once. It must return by itself, and must not throw.
  NamedThread(const std::string& name, std::move_only_function<void()> body);

 private:
  std::jthread thread_;
};

}  // namespace lo
