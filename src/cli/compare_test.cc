#include "cli/compare.h"

#include <gmock/gmock.h>

#include "cli/testing/fake_server.h"

namespace lo::cli {
namespace {

using cli::testing::FakeReply;
using cli::testing::FakeRequest;
using cli::testing::FakeServer;
using ::testing::ElementsAre;

TEST(Comparison, ShowsWhatDiffersAndAllMetrics) {
  std::vector<Compared> steps{{.name = "a", .parameters = {{"C", "1"}, {"kernel", "rbf"}}, .metrics = {{"f1", "0.8"}}},
                              {.name = "b", .parameters = {{"C", "2"}, {"kernel", "rbf"}}, .metrics = {{"f1", "0.8"}, {"auc", "0.9"}}}};
  EXPECT_THAT(comparison(steps), ElementsAre("     a    b", "C    1    2", "auc  –    0.9", "f1   0.8  0.8"));
}

TEST(Comparison, WalksTheLineOfEachStep) {
  auto step = [](std::string name, std::string service, std::string request, std::string rest) {
    return FakeReply{.body = R"({"result":{"name":")" + name + R"(","service":")" + service + R"(","status":"finished","finished":true,"revision":1,"revisions":[{"revision":1,"operation":")" +
                             service + R"(","status":"finished","reason":"","exception":"","request":)" + request + "}]," + rest + "}}"};
  };
  std::map<std::string, FakeReply> replies{
      {"/step/s1", step("s1", "evaluate/scikitlearn", R"({"name":"s1","parentName":"m1","method":"score"})", R"("metrics":{"score":0.5},"parents":[{"name":"m1@1","revision":1}])")},
      {"/step/s2", step("s2", "evaluate/scikitlearn", R"({"name":"s2","parentName":"m2","method":"score"})", R"("metrics":{"score":0.75},"parents":[{"name":"m2","revision":1}])")},
      {"/step/m1", step("m1", "model/scikitlearn", R"({"modelName":"m1","classParameters":{"C":1,"max_iter":5}})", R"("parents":[])")},
      {"/step/m2", step("m2", "model/scikitlearn", R"({"modelName":"m2","classParameters":{"C":10,"max_iter":5}})", R"("parents":[])")},
  };
  FakeServer server([&](const FakeRequest& request) { return replies.at(request.target.substr(kPrefix.size())); });
  HttpClient http(server.url(), -1);
  ApiClient api(http);
  std::FILE* file = std::tmpfile();
  ASSERT_TRUE(compare_steps(api, {"s1", "s2"}, file));
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  EXPECT_EQ(text,
            "                                     s1   s2\n"
            "model/scikitlearn classParameters.C  1    10\n"
            "score                                0.5  0.75\n");
}

}  // namespace
}  // namespace lo::cli
