#include "catalog/sqlite/read_ahead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <future>
#include <set>

namespace lo::catalog::sqlite {
namespace {

template <class Read>
std::multiset<int> all(std::size_t pieces, Read read) {
  std::multiset<int> values;
  ReadAhead<int, Read> ahead(pieces, std::move(read));
  while (auto value = ahead.next()) values.insert(value->value());
  return values;
}

TEST(ReadAheadTest, EachPieceIsGivenOnce) {
  for (std::size_t pieces : {0U, 1U, 2U, 100U}) {
    std::multiset<int> expected;
    for (std::size_t piece = 0; piece < pieces; ++piece) expected.insert(static_cast<int>(piece));
    EXPECT_EQ(all(pieces, [](std::size_t piece) { return Result<int>(static_cast<int>(piece)); }), expected);
  }
}

// The one who asks and the thread come upon the last piece at the same moment, now and then.
TEST(ReadAheadTest, NoneIsLostWhereBothWantTheLast) {
  auto read = [](std::size_t piece) { return Result<int>(static_cast<int>(piece)); };
  for (int round = 0; round < 20'000; ++round) ASSERT_EQ(all(1 + round % 3, read).size(), 1 + round % 3) << "round " << round;
}

TEST(ReadAheadTest, TwoPiecesAreReadAtOnce) {
  std::array<std::promise<void>, 2> begun;
  auto read = [&](std::size_t piece) {
    begun.at(piece).set_value();
    begun.at(1 - piece).get_future().wait();  // for ever, if one were read after the other
    return Result<int>(static_cast<int>(piece));
  };
  EXPECT_EQ(all(2, read), (std::multiset{0, 1}));
}

TEST(ReadAheadTest, AnErrorIsGivenInThePlaceOfItsPiece) {
  auto read = [](std::size_t piece) { return piece == 3 ? Result<int>(fail(Code::io, "no disk")) : Result<int>(1); };
  ReadAhead<int, decltype(read)> ahead(10, read);
  int read_well = 0, failed = 0;
  while (auto piece = ahead.next()) ++(*piece ? read_well : failed);
  EXPECT_EQ(read_well, 9);
  EXPECT_EQ(failed, 1);
}

TEST(ReadAheadTest, CanGoBeforeAllIsRead) {
  auto read = [](std::size_t) { return Result<int>(1); };
  ReadAhead<int, decltype(read)> ahead(1'000'000, read);
  EXPECT_TRUE(ahead.next());
}

}  // namespace
}  // namespace lo::catalog::sqlite
