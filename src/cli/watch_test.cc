#include "cli/watch.h"

#include <gmock/gmock.h>

#include "base/clock.h"
#include "cli/testing/fake_orchestra.h"

namespace lo::cli {
namespace {

using namespace std::chrono_literals;
using cli::testing::FakeOrchestra;
using cli::testing::FakeReply;
using cli::testing::FakeRequest;
using cli::testing::FakeServer;
using ::testing::HasSubstr;

// With trust in the stream for an hour, only events can tell that the steps go on.
TEST(Watch, FollowsTheEvents) {
  FakeOrchestra orchestra;
  FakeServer server(orchestra.handler());
  orchestra.server = &server;
  orchestra.asked_until_end["f"] = 20;
  orchestra.answer(
      {.method = "POST", .target = fmt::format("{}/function/python", kPrefix), .body = R"({"name":"f"})", .headers = {}});
  HttpClient http(server.url(), -1);
  ApiClient api(http);
  std::FILE* sink = std::tmpfile();
  Screen screen(sink, {});
  Patience patience(http, screen, 30s, {});
  SystemClock clock;
  Progress progress({"f"}, {}, clock);
  EXPECT_TRUE(watch(api, patience, screen, progress, {.tick = 100ms, .trust = 1h, .trust_without_stream = 1h}));
  EXPECT_TRUE(progress.succeeded());
  std::fclose(sink);
}

TEST(Patience, EndsWhenTheServerIsGoneForGood) {
  std::string url = FakeServer([](const FakeRequest&) { return FakeReply{}; }).url();
  HttpClient http(url, -1);
  ApiClient api(http);
  std::FILE* sink = std::tmpfile();
  Screen screen(sink, {});
  Patience dead(http, screen, 1h, [] { return "it died"; });
  EXPECT_EQ(dead.ask([&] { return api.probe(); }).error().message, "it died");
  Patience short_one(http, screen, 0s, {});
  EXPECT_THAT(short_one.ask([&] { return api.probe(); }).error().message, HasSubstr("gave up"));
  std::fclose(sink);
}

}  // namespace
}  // namespace lo::cli
