#include "cli/housekeeping.h"

#include <gmock/gmock.h>

#include "cli/testing/fake_server.h"

namespace lo::cli {
namespace {

using cli::testing::FakeReply;
using cli::testing::FakeRequest;
using cli::testing::FakeServer;
using ::testing::HasSubstr;

std::string printed(const std::string& asked, const std::string& reply, const std::function<Status(ApiClient&, std::FILE*)>& command) {
  FakeServer server([&](const FakeRequest& request) {
    auto right = request.method + " " + request.target.substr(kPrefix.size()) == asked;
    return right ? FakeReply{.body = reply} : FakeReply{.status = 404, .body = R"({"detail":"none"})"};
  });
  HttpClient http(server.url(), -1);
  ApiClient api(http);
  std::FILE* file = std::tmpfile();
  auto status = command(api, file);
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return status ? text : "error: " + status.error().message;
}

constexpr const char* kSwept = R"({"result": {"dryRun": true, "revisions": ["a@1", "b\u001b@2"], "objects": {"count": 3, "bytes": 40},
                                  "logs": {"count": 4, "bytes": 2}, "events": 5, "bytes": 42}})";

TEST(Housekeeping, TellsWhatGoes) {
  auto gc = [](bool dry_run) { return [dry_run](ApiClient& api, std::FILE* out) { return collect_garbage(api, dry_run, out); }; };
  EXPECT_EQ(printed("POST /gc?dryRun=true", kSwept, gc(true)),
            "a@1\nb\\x1b@2\nwould remove 2 revisions, 3 objects, 4 logs, 5 events: 42 bytes\n");
  EXPECT_THAT(printed("POST /gc", kSwept, gc(false)), HasSubstr("\nremoved 2 revisions"));
  EXPECT_THAT(printed("POST /other", kSwept, gc(false)), HasSubstr("error: none"));
}

TEST(Housekeeping, TellsWhoUsedWhat) {
  auto usage = [](ApiClient& api, std::FILE* out) { return print_usage(api, "team", out); };
  auto text = printed("GET /usage?label=team",
                      R"({"label": "team", "result": [{"value": null, "steps": 1, "revisions": 1, "attempts": 0, "cpuSeconds": 0,
                          "peakMemory": 0, "bytes": 7}, {"value": "blue", "steps": 2, "revisions": 3, "attempts": 4, "cpuSeconds": 1.25,
                          "peakMemory": 1024, "bytes": 8}]})",
                      usage);
  EXPECT_THAT(text, HasSubstr("team"));
  EXPECT_THAT(text, HasSubstr("blue"));
  EXPECT_THAT(text, ::testing::ContainsRegex("blue +2 +3 +4 +1\\.[23] +1024 +8"));
}

}  // namespace
}  // namespace lo::cli
