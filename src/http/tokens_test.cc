#include "http/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lo::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Tokens, KnowsWhoseTheyAre) {
  auto text = "# ours\n\n" + token_line("ada", "one") + "\n  " + token_line("ada", "two") + " # the laptop's\r\n" + token_line("bob", "three");
  auto tokens = Tokens::parse(text, "tokens").value();
  EXPECT_EQ(tokens.owner_of("one"), "ada");
  EXPECT_EQ(tokens.owner_of("two"), "ada");
  EXPECT_EQ(tokens.owner_of("three"), "bob");
  for (const auto* unknown : {"", "on", "onee", "ONE", "four"}) EXPECT_EQ(tokens.owner_of(unknown), std::nullopt) << unknown;
}

// The digest is the one that `printf abc | sha256sum` gives (FIPS 180-2).
TEST(Tokens, TheLineHoldsTheDigestAlone) {
  EXPECT_EQ(token_line("ada", "abc"), "ada sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Tokens, ALineThatIsNoneIsNamedAndNotRepeated) {
  auto good = token_line("ada", "one");
  for (const auto& line : {std::string("ada"), "ada " + good.substr(4, 20), std::string("ada secret"), good + " more", "a/b" + good.substr(3), good + "0", "ada sha256:" + std::string(64, 'g')}) {
    auto refused = Tokens::parse(good + "\n" + line, "the file");
    ASSERT_FALSE(refused) << line;
    EXPECT_EQ(refused.error().code, Code::malformed);
    EXPECT_THAT(refused.error().message, HasSubstr("the file, line 2"));
    EXPECT_THAT(refused.error().message, Not(HasSubstr("secret")));
  }
  EXPECT_THAT(Tokens::parse("# nobody\n", "the file").error().message, HasSubstr("no token"));
}

TEST(Tokens, NewOnesAreLongAndDifferent) {
  EXPECT_GE(make_bearer_token().size(), 64U);
  EXPECT_NE(make_bearer_token(), make_bearer_token());
}

}  // namespace
}  // namespace lo::http
