#include "run/message_ends.h"

#include <gtest/gtest.h>

namespace lo::run {
namespace {

std::string pattern(std::size_t count) {
  std::string text;
  for (std::size_t n = 0; n < count; ++n) text += static_cast<char>('a' + (n * 7 + n / 26) % 26);
  return text;
}

TEST(MessageEnds, ShortTextIsWhole) {
  MessageEnds ends;
  EXPECT_EQ(ends.text(), "");
  ends.append(std::string_view("one\n"));
  ends.append(std::string_view("two\n"));
  EXPECT_EQ(ends.text(), "one\ntwo\n");
}

// In pieces of any size, also larger than what is kept.
TEST(MessageEnds, LongTextKeepsFirstAndLast32kB) {
  auto text = pattern(200'000);
  auto expected = text.substr(0, 32 * 1024) + "\n... 134464 bytes left out ...\n" + text.substr(text.size() - 32 * 1024);
  for (std::size_t piece : {1U, 1'000U, 40'000U, 200'000U}) {
    MessageEnds ends;
    for (std::size_t at = 0; at < text.size(); at += piece) ends.append(std::string_view(text).substr(at, piece));
    EXPECT_EQ(ends.text(), expected) << "in pieces of " << piece;
  }
}

TEST(MessageEnds, NothingIsLeftOutUpToBothParts) {
  auto text = pattern(2 * MessageEnds::kPart);
  MessageEnds ends;
  ends.append(text);
  EXPECT_EQ(ends.text(), text);
}

TEST(MessageEnds, IsValidUtf8) {
  MessageEnds ends;
  ends.append(std::string_view("caf\xc3"));
  ends.append(std::string_view("\xa9 \xff!"));
  EXPECT_EQ(ends.text(), "caf\xc3\xa9 \xef\xbf\xbd!");
}

}  // namespace
}  // namespace lo::run
