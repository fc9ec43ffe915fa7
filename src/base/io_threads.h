// The threads that run coroutines and strands. Nothing on them may block.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

namespace lo {

class IoThreads {
 public:
  explicit IoThreads(std::size_t threads) : pool_(threads) {}
  ~IoThreads() { stop(); }
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  boost::asio::any_io_executor executor() { return pool_.get_executor(); }

  // Drops what has not begun and waits for what runs.
  void stop() {
    pool_.stop();
    pool_.join();
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace lo
