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
                         "resources": {"cpu": 2, "memory": "512MB", "gpu": 1}})");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->retry.max_attempts, 3);
  EXPECT_EQ(policy->limits.timeout, 1500ms);
  EXPECT_EQ(policy->limits.memory_bytes, 512'000'000);
  EXPECT_EQ(policy->limits.cpu, 2);
  EXPECT_EQ(policy->limits.gpu, 1);
}

TEST(Policy, WaitsLongerEachTimeAndNotAllAtOnce) {
  const Retry retry{.max_attempts = 5, .delay = 500ms, .backoff = 2};
  auto stated = 500ms;
  for (int next = 2; next < 6; ++next, stated *= 2) {
    std::set<std::chrono::milliseconds> delays;
    for (int job = 0; job < 100; ++job) delays.insert(retry_delay(retry, next, "job" + std::to_string(job)));
    EXPECT_GE(*delays.begin(), stated);
    EXPECT_LE(*delays.rbegin(), stated * 5 / 4);
    EXPECT_GT(delays.size(), 50U);
    EXPECT_EQ(retry_delay(retry, next, "job"), retry_delay(retry, next, "job"));
  }
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
           {R"({"resources": {"gpu": 0.5}})", "/resources/gpu", "whole"},
           {R"({"resources": {"cpu": -1}})", "/resources/cpu", "-1"}}) {
    auto policy = read(text);
    ASSERT_FALSE(policy) << text;
    EXPECT_EQ(policy.error().fields.front().pointer, pointer) << text;
    EXPECT_THAT(policy.error().message, HasSubstr(part)) << text;
  }
}

TEST(Policy, BoundsTheDelay) {
  EXPECT_LE(retry_delay({.max_attempts = 1000, .delay = 1h, .backoff = 100}, 900, "job"), 24h);
}

TEST(Policy, IsolationIsOfTwoKinds) {
  EXPECT_EQ(read_policy({})->isolation, Isolation::process);
  EXPECT_EQ(read_policy({{"isolation", "process"}})->isolation, Isolation::process);
  EXPECT_EQ(read_policy({{"isolation", "shared"}})->isolation, Isolation::shared);
  auto refused = read_policy({{"isolation", "thread"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unacceptable);
}

}  // namespace
}  // namespace lo::engine
