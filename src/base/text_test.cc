#include "base/text.h"

#include <gtest/gtest.h>

namespace lo {
namespace {

TEST(ToUtf8Test, KeepsWhatIsValidAndReplacesTheRest) {
  EXPECT_EQ(to_utf8("plain ü € 😀"), "plain ü € 😀");
  EXPECT_EQ(to_utf8("a\xff\xfe z"), "a\xef\xbf\xbd\xef\xbf\xbd z");
  EXPECT_EQ(to_utf8("cut \xe2\x82"), "cut \xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(to_utf8("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");          // overlong '/'
  EXPECT_EQ(to_utf8("\xed\xa0\x80").find('\xed'), std::string::npos);  // a surrogate
  EXPECT_EQ(to_utf8(std::string_view("\0", 1)), std::string(1, '\0'));
}

TEST(PrintableTest, EscapesControlCharacters) {
  EXPECT_EQ(printable("a\n\x1b[31m\x7f"), "a\\x0a\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\xc2\x85"), "\\x85");  // next line
}

TEST(PrintableTest, CutsBetweenCharacters) {
  EXPECT_EQ(printable("üüü", 3), "üüü");
  EXPECT_EQ(printable("üüüü", 3), "üüü…");
  EXPECT_EQ(printable("", 3), "");
}

}  // namespace
}  // namespace lo
