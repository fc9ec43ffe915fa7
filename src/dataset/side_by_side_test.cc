#include "dataset/side_by_side.h"

#include <gtest/gtest.h>

#include <latch>
#include <vector>

namespace lo::dataset {
namespace {

TEST(SideBySide, DoesEachPieceOnce) {
  for (int count : {0, 1, 2, 100}) {
    std::vector<std::atomic<int>> done(static_cast<std::size_t>(count));
    side_by_side(count, [&](int i) { ++done[static_cast<std::size_t>(i)]; });
    for (const auto& each : done) EXPECT_EQ(each, 1);
  }
}

// A page must not wait until somebody's long query is over.
TEST(SideBySide, WaitsForNobodyWhoIsBusy) {
  auto* pool = arrow::internal::GetCpuThreadPool();
  std::latch all_busy(pool->GetCapacity()), over(1);
  std::latch all_over(pool->GetCapacity());
  for (int i = 0; i < pool->GetCapacity(); ++i)
    ASSERT_TRUE(pool->Spawn([&] {
                      all_busy.count_down();
                      over.wait();
                      all_over.count_down();
                    })
                    .ok());
  all_busy.wait();
  int done = 0;
  side_by_side(20, [&](int) { ++done; });  // nobody else is there to do it
  EXPECT_EQ(done, 20);
  over.count_down();
  all_over.wait();
}

}  // namespace
}  // namespace lo::dataset
