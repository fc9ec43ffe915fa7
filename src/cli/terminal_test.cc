#include "cli/terminal.h"

#include <gmock/gmock.h>

#include "cli/log_tail.h"
#include "cli/text_table.h"

namespace lo::cli {
namespace {

using testing::ElementsAre;

TEST(ForTerminal, LetsNothingActOnTheTerminal) {
  EXPECT_EQ(for_terminal("a\x1b[2Jb\a\r\n"), "a\\x1b[2Jb\\x07\\x0d\\x0a");
  EXPECT_EQ(for_terminal("\x7f"), "\\x7f");
  EXPECT_EQ(for_terminal("\xc2\x9b"
                         "31m"),
            "\\u009b31m")
      << "C1: the one-character form of ESC [";
  EXPECT_EQ(for_terminal("a\xe2\x80\xae"
                         "b"),
            "a\\u202eb")
      << "right-to-left override";
  EXPECT_EQ(for_terminal("a\nb\tc\x1b", Lines::keep), "a\nb\tc\\x1b");
}

TEST(ForTerminal, KeepsTextAndShowsBrokenBytes) {
  EXPECT_EQ(for_terminal("é → 日本"), "é → 日本");
  EXPECT_EQ(for_terminal("a\xff"
                         "b\xe2\x82"),
            "a\\xffb\\xe2\\x82");
  EXPECT_EQ(for_terminal("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
}

TEST(Shortened, CountsCharacters) {
  EXPECT_EQ(shortened("éééé", 4), "éééé");
  EXPECT_EQ(shortened("ééééé", 4), "ééé…");
  EXPECT_EQ(shortened("abc", 1), "…");
}

TEST(Painted, OnlyWithColors) {
  EXPECT_EQ(painted("x", Color::red, {.is_terminal = true, .colors = true}), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(painted("x", Color::red, {.is_terminal = true, .colors = false}), "x");
  EXPECT_EQ(painted("x", Color::none, {.is_terminal = true, .colors = true}), "x");
}

TEST(InspectTerminal, OfAFileIsNone) {
  std::FILE* file = std::tmpfile();
  auto terminal = inspect_terminal(fileno(file));
  std::fclose(file);
  EXPECT_FALSE(terminal.is_terminal);
  EXPECT_FALSE(terminal.colors);
}

TEST(TableLines, AlignsAndLeavesOutEmptyColumns) {
  EXPECT_THAT(table_lines({"name", "rows", "F1"}, {{"é", "", "0.5"}, {"long name", "", ""}}),
              ElementsAre("name       F1", "é          0.5", "long name"));
  EXPECT_THAT(table_lines({"name"}, {}), ElementsAre(""));
}

TEST(LastLines, AreThoseAtTheEnd) {
  EXPECT_EQ(last_lines("a\nb\nc\n\n", 2), "  b\n  c");
  EXPECT_EQ(last_lines("a", 5), "  a");
  EXPECT_EQ(last_lines("a\n\nb", 5), "  a\n  \n  b");
  EXPECT_EQ(last_lines("\n\n", 3), "");
}

}  // namespace
}  // namespace lo::cli
