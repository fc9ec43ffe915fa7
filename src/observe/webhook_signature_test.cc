#include "observe/webhook_signature.h"

#include <gtest/gtest.h>

#include <string>

namespace lo::observe {
namespace {

constexpr std::string_view kSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";  // the bytes 0 to 31

// Computed with Python's hmac.
TEST(WebhookSignature, IsThatOfTheVector) {
  EXPECT_EQ(webhook_signature(kSecret, "msg_1", 1'700'000'000, R"({"type":"step.finished"})"),
            "v1,8d5OlT/YYNw8kDEbMJNOi9vsQzXFc3ZOT+5I4nRn0Bo=");
}

TEST(WebhookSignature, MadeSecretsAreSoundAndDifferent) {
  auto one = make_webhook_secret();
  EXPECT_TRUE(check_webhook_secret(one, "/secret"));
  EXPECT_EQ(one.size(), 6u + 44u);
  EXPECT_NE(one, make_webhook_secret());
}

TEST(WebhookSignature, SecretsHave24To64Bytes) {
  EXPECT_TRUE(check_webhook_secret("whsec_" + std::string(32, 'A'), "/secret"));
  EXPECT_TRUE(check_webhook_secret("whsec_" + std::string(86, 'A') + "==", "/secret"));
  EXPECT_FALSE(check_webhook_secret("whsec_" + std::string(28, 'A'), "/secret"));
  EXPECT_FALSE(check_webhook_secret("whsec_" + std::string(88, 'A'), "/secret"));
}

TEST(WebhookSignature, WhatIsNoSecretIsRefusedAndNotRepeated) {
  for (std::string text : {std::string(), std::string("whsec_"), std::string(44, 'A'), "whsec_" + std::string(31, 'A') + "\n",
                           "whsec_" + std::string(31, 'A') + "_", "whsec_" + std::string(40, 'A') + "====",
                           "whsec_" + std::string(44, '='), "whsec_" + std::string(42, 'A') + "B="}) {
    auto checked = check_webhook_secret(text, "/secret");
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().fields.at(0).pointer, "/secret");
    EXPECT_TRUE(text.size() <= 6 || !checked.error().message.contains(text));
  }
}

}  // namespace
}  // namespace lo::observe
