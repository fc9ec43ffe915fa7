#include "cli/step_commands.h"

#include <gmock/gmock.h>

#include "cli/testing/fake_server.h"

namespace lo::cli {
namespace {

using cli::testing::FakeReply;
using cli::testing::FakeRequest;
using cli::testing::FakeServer;

class StepCommands : public ::testing::Test {
 protected:
  std::string printed(const std::function<Status(ApiClient&, std::FILE*)>& command) {
    FakeServer server([this](const FakeRequest& request) {
      auto found = replies_.find(request.method + " " + request.target.substr(kPrefix.size()));
      return found == replies_.end() ? FakeReply{.status = 404, .body = R"({"detail":"none"})"} : found->second;
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

  std::map<std::string, FakeReply> replies_{
      {"GET /step?limit=1000&skip=0",
       {.body = R"({"result":[{"name":"a","type":"dataset/csv","status":"finished","revision":1,"rows":3,"timeCreated":"t"},
                              {"datasetName":"b\u001b","type":"function/python","status":"failed","exception":"E: x\ny","stale":false}]})"}},
      {"GET /step/a", {.body = R"({"result":{"name":"a","service":"dataset/csv","status":"finished","finished":true}})"}},
      {"GET /dataset/csv/a?query=%7B%22x%22%3A1%7D&limit=2&skip=1",
       {.body = R"({"result":[{"_id":1},{"_id":2,"t":"\u009b"}]})"}},
      {"GET /step/a/log", {.body = "one\ntwo\n", .type = "text/plain"}},
      {"GET /step/a/log?follow=true",
       {.body =
            "event: log\ndata: {\"text\":\"one\\n\"}\n\nevent: log\ndata: {\"text\":\"two\\n\"}\n\nevent: end\ndata: {}\n\n",
        .keep_open = true}},
      {"POST /step/a/cancel", {.body = R"({"result":"cancelled"})"}},
      {"DELETE /dataset/csv/a?cascade=true", {.body = R"({"result":"deleted file","bytesFreed":7})"}},
  };
};

TEST_F(StepCommands, ListsSteps) {
  EXPECT_EQ(printed([](ApiClient& api, std::FILE* out) { return list_steps(api, "", "", out); }),
            "name   service          state     revision  rows  created\n"
            "a      dataset/csv      finished  1         3     t\n"
            "b\\x1b  function/python  failed                             E: x\n");
}

TEST_F(StepCommands, PrintsDocumentsAsLinesOfJson) {
  EXPECT_EQ(printed([](ApiClient& api, std::FILE* out) {
              return print_documents(api, {.name = "a", .limit = 2, .skip = 1, .query = R"({"x":1})"}, out);
            }),
            "{\"_id\":1}\n{\"_id\":2,\"t\":\"\\u009b\"}\n");
}

TEST_F(StepCommands, PrintsLogs) {
  EXPECT_EQ(printed([](ApiClient& api, std::FILE* out) { return print_log(api, "a", false, out); }), "one\ntwo\n");
  EXPECT_EQ(printed([](ApiClient& api, std::FILE* out) { return print_log(api, "a", true, out); }), "one\ntwo\n");
  EXPECT_EQ(printed([](ApiClient& api, std::FILE* out) { return print_log(api, "b", true, out); }), "error: none");
}

TEST_F(StepCommands, CancelsAndRemoves) {
  EXPECT_EQ(printed([](ApiClient& api, std::FILE* out) { return cancel_step(api, "a", out); }), "a is cancelled\n");
  EXPECT_EQ(printed([](ApiClient& api, std::FILE* out) { return remove_step(api, "a", true, out); }), "a is removed\n");
  EXPECT_EQ(printed([](ApiClient& api, std::FILE* out) { return remove_step(api, "b", true, out); }), "error: none");
}

}  // namespace
}  // namespace lo::cli
