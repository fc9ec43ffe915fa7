#include "base/error.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <memory>
#include <set>

namespace lo {
namespace {

using ::testing::HasSubstr;

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Code::unacceptable, "odd: " + std::to_string(number));
  return number / 2;
}

Status check(int number, int& reached) {
  LO_TRY(half(number));
  ++reached;
  LO_TRY([&]() -> Status {
    LO_TRY(half(number));  // within one of its own
    return {};
  }());
  return {};
}

Result<int> quarter(int number) {
  LO_ASSIGN(auto first, half(number));
  LO_ASSIGN(const auto second, half(first));
  return second;
}

Result<std::unique_ptr<int>> make(int number) {
  LO_ASSIGN(auto value, half(number));
  return std::make_unique<int>(value);
}

TEST(TryTest, GoesOnOrGivesTheError) {
  int reached = 0;
  EXPECT_TRUE(check(2, reached));
  EXPECT_EQ(check(3, reached).error().message, "odd: 3");
  EXPECT_EQ(reached, 1);
}

TEST(AssignTest, GivesTheValueOrTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd: 3");
  auto moved = [](int number) -> Result<int> {
    LO_ASSIGN(auto owner, make(number));
    return *owner;
  };
  EXPECT_EQ(moved(4).value(), 2);
}

TEST(FailTest, FieldErrorNamesThePointer) {
  Status status = fail_field(Code::unacceptable, "/names/0", "there is no field \"x\"");
  EXPECT_EQ(status.error().message, "there is no field \"x\"");
  ASSERT_EQ(status.error().fields.size(), 1U);
  EXPECT_EQ(status.error().fields[0].pointer, "/names/0");
  EXPECT_EQ(status.error().fields[0].detail, status.error().message);
}

TEST(FailTest, ErrnoSaysWhatAndWhy) {
  Status status = fail_errno("open /x", ENOENT);
  EXPECT_EQ(status.error().code, Code::io);
  EXPECT_THAT(status.error().message, HasSubstr("open /x: No such file"));
  EXPECT_EQ(Status(fail_errno("write", ENOSPC)).error().code, Code::no_space);
  EXPECT_EQ(Status(fail_errno("write", EDQUOT)).error().code, Code::no_space);
}

TEST(CodeTest, EveryCodeHasWordsOfItsOwn) {
  std::set<std::string_view> words;
  for (int code = 0; code <= static_cast<int>(Code::internal); ++code) words.insert(to_string(static_cast<Code>(code)));
  EXPECT_EQ(words.size(), static_cast<std::size_t>(Code::internal) + 1);
  EXPECT_FALSE(words.contains("unknown"));
}

}  // namespace
}  // namespace lo
