// The bridge between callbacks and coroutines.
//   Strand      work that runs one piece at a time, in order, on the I/O threads; it must not block
//   BlockingPool  threads for work that blocks: files, SQLite reads, libcurl, Arrow
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace lo {

namespace asio = boost::asio;

template <class T>
using Awaitable = asio::awaitable<T>;

using Strand = asio::strand<asio::any_io_executor>;

template <class T>
using Callback = std::move_only_function<void(T)>;

// g++ 12 destroys twice what a lambda or aggregate owns that is written inside a co_await expression:
//   co_await pool.run([name] { … });                      // a double free when name is a string
//   co_await send(Answer{.text = text});                  // the same
// A lambda that captures by reference owns nothing and is right. One that must own is named first and passed by its name:
//   auto work = [name] { … };
//   co_await pool.run(work);
// await_callback and BlockingPool::run refuse the first form; nothing refuses the second.
template <class Function>
concept SafeToAwait = std::is_lvalue_reference_v<Function> || std::is_trivially_destructible_v<Function>;

namespace detail {

template <class T, class Start>
Awaitable<T> await_started(std::shared_ptr<Start> start) {
  auto executor = co_await asio::this_coro::executor;
  auto initiate = [&start, &executor](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    (*start)(Callback<T>([executor, shared](T value) {
      asio::post(executor, [shared, value = std::move(value)]() mutable { std::move (*shared)(std::move(value)); });
    }));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(initiate, asio::use_awaitable);
}

}  // namespace detail

// Awaits a function that takes a callback. `start` is called at once with a Callback<T>, which must be called exactly once,
// from any thread; the coroutine goes on with its value on its own executor. A `start` passed by its name is moved from. The
// wait itself cannot be cancelled. Whoever calls back must be gone before the threads of the executor are: declare IoThreads
// before the BlockingPool and the catalog.
//   Result<Page> page = co_await await_callback<Result<Page>>([&](auto done) { reader.page(7, std::move(done)); });
template <class T, class Start>
Awaitable<T> await_callback(Start&& start) {
  static_assert(SafeToAwait<Start>, "name the lambda first, then pass its name: see SafeToAwait");
  return detail::await_started<T>(std::make_shared<std::decay_t<Start>>(std::move(start)));
}

class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads) : pool_(threads) {}
  ~BlockingPool() { pool_.join(); }
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  void post(std::move_only_function<void()> work) {
    asio::post(pool_, [work = std::move(work)]() mutable { work(); });
  }

  // Awaits `work()` done on a thread of the pool: auto rows = co_await pool.run([&] { return read_rows(); });
  // Work passed by its name is moved from.
  template <class Work>
  auto run(Work&& work) -> Awaitable<std::invoke_result_t<std::decay_t<Work>&>> {
    static_assert(SafeToAwait<Work>, "name the lambda first, then pass its name: see SafeToAwait");
    using T = std::invoke_result_t<std::decay_t<Work>&>;
    auto start = [this, work = std::move(work)](Callback<T> done) mutable {
      post([work = std::move(work), done = std::move(done)]() mutable { done(work()); });
    };
    return await_callback<T>(start);
  }

 private:
  asio::thread_pool pool_;
};

}  // namespace lo
