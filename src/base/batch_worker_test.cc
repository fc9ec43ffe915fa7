#include "base/batch_worker.h"

#include <gmock/gmock.h>
#include <pthread.h>

#include <array>
#include <future>
#include <utility>
#include <vector>

namespace lo {
namespace {

using ::testing::ElementsAre;

TEST(BatchWorkerTest, HandsOverAllThatWaits) {
  std::promise<void> first_begun;
  std::promise<void> go_on;
  std::vector<std::vector<int>> batches;
  {
    BatchWorker<int> worker("test", [&](std::vector<int> batch) {
      batches.push_back(std::move(batch));
      if (batches.size() != 1) return;
      first_begun.set_value();
      go_on.get_future().get();
    });
    worker.push(1);
    first_begun.get_future().get();
    for (int i : {2, 3, 4}) worker.push(i);
    go_on.set_value();
  }
  EXPECT_THAT(batches, ElementsAre(ElementsAre(1), ElementsAre(2, 3, 4)));
}

TEST(BatchWorkerTest, KeepsTheOrderOfEachThread) {
  constexpr int kEach = 1000;
  std::vector<std::pair<int, int>> got;
  {
    BatchWorker<std::pair<int, int>> worker("test", [&](auto batch) { got.insert(got.end(), batch.begin(), batch.end()); });
    auto push_all = [&](int thread) {
      for (int i = 0; i < kEach; ++i) worker.push({thread, i});
    };
    NamedThread one("one", [&] { push_all(0); });
    NamedThread two("two", [&] { push_all(1); });
  }
  ASSERT_EQ(got.size(), 2U * kEach);
  std::array<int, 2> next{};
  for (auto [thread, number] : got) EXPECT_EQ(number, next.at(static_cast<std::size_t>(thread))++);
}

TEST(BatchWorkerTest, DestructorWorksOffEvenWhatTheWorkPushes) {
  std::vector<int> got;
  std::promise<void> stopping;
  {
    BatchWorker<int>* self = nullptr;
    BatchWorker<int> worker("test", [&](std::vector<int> batch) {
      if (got.empty()) stopping.get_future().get();
      for (auto number : batch) {
        got.push_back(number);
        if (number < 5) self->push(number + 1);
      }
    });
    self = &worker;
    worker.push(1);
    stopping.set_value();
  }
  EXPECT_THAT(got, ElementsAre(1, 2, 3, 4, 5));
}

TEST(NamedThreadTest, CarriesItsNameCutToWhatTheKernelKeeps) {
  std::array<char, 16> name{};
  {
    std::promise<void> named;
    NamedThread thread("a-name-that-is-too-long", [&] {
      named.get_future().get();
      ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    });
    named.set_value();
  }
  EXPECT_STREQ(name.data(), "a-name-that-is-");
}

}  // namespace
}  // namespace lo
