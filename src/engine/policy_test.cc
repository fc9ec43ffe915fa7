#include "engine/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lo::engine {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

Result<Policy> read(std::string_view text) { return read_policy(*parse_json_object(text)); }

TEST(Policy, HasNoLimitsAndOneAttemptByDefault) {
  auto policy = read("{}");
  EXPECT_EQ(policy->retry.max_attempts, 1);
  EXPECT_EQ(policy->limits.timeout, std::nullopt);
  EXPECT_EQ(policy->limits.memory_bytes, std::nullopt);
  EXPECT_EQ(policy->limits.cpu, 1);
}

TEST(Policy, ReadsEveryMember) {
  auto policy = read(R"({"retry": {"maxAttempts": 3, "delay": 0.5, "backoff": 2}, "timeout": 1.5,
                         "resources": {"cpu": 2, "memory": "512MB"}})");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->retry.max_attempts, 3);
  EXPECT_EQ(policy->limits.timeout, 1500ms);
  EXPECT_EQ(policy->limits.memory_bytes, 512'000'000);
  EXPECT_EQ(policy->limits.cpu, 2);
  EXPECT_EQ(retry_delay(policy->retry, 2), 500ms);
  EXPECT_EQ(retry_delay(policy->retry, 3), 1000ms);
  EXPECT_EQ(retry_delay(policy->retry, 4), 2000ms);
}

TEST(Policy, NamesMemberAndValueOfWhatIsWrong) {
  struct Case {
    std::string_view text, pointer, part;
  };
  for (const auto& [text, pointer, part] : std::initializer_list<Case>{
           {R"({"timeout": 0})", "/timeout", "not 0"},
           {R"({"timeout": "1"})", "/timeout", "\"1\""},
           {R"({"timeout": null})", "/timeout", "null"},
           {R"({"retry": 3})", "/retry", "object"},
           {R"({"retry": {"maxAttempts": 1.5}})", "/retry/maxAttempts", "whole"},
           {R"({"retry": {"attempts": 1}})", "/retry/attempts", "maxAttempts, delay, backoff"},
           {R"({"resources": {"memory": "12 elephants"}})", "/resources/memory", "elephants"},
           {R"({"resources": {"memory": 1}})", "/resources/memory", "16MB"},
           {R"({"resources": {"cpu": -1}})", "/resources/cpu", "-1"}}) {
    auto policy = read(text);
    ASSERT_FALSE(policy) << text;
    EXPECT_EQ(policy.error().fields.front().pointer, pointer) << text;
    EXPECT_THAT(policy.error().message, HasSubstr(part)) << text;
  }
}

TEST(Policy, BoundsTheDelay) {
  EXPECT_LE(retry_delay({.max_attempts = 1000, .delay = 1h, .backoff = 100}, 900), 24h);
}

}  // namespace
}  // namespace lo::engine
