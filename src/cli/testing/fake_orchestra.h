// A stand-in for the server's API, in the tests of the client.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/api_client.h"
#include "cli/testing/fake_server.h"

namespace lo::cli::testing {

// As much of the server as a run needs: it stores what it is sent, and a step ends when it has been asked for a few times, each
// time telling the event streams. Lives longer than the FakeServer that asks it, so that a server can go and come back with the
// same steps.
class FakeOrchestra {
 public:
  std::map<std::string, std::string> ends_as;  // status by name; "finished" where there is none
  std::map<std::string, int> asked_until_end;  // by name; 2 where there is none
  std::function<std::optional<FakeReply>(const FakeRequest&)> before = [](const auto&) { return std::nullopt; };
  std::vector<std::string> calls;  // that change something: "POST dataset/csv?…"
  FakeServer* server = nullptr;

  FakeReply answer(const FakeRequest& request) {
    if (auto reply = before(request)) return *reply;
    auto route = request.target.substr(kPrefix.size() + 1);
    if (route.starts_with("observe/stream")) return {.keep_open = true};
    if (route.starts_with("step?")) return result(json::array());
    if (request.method == "GET" && route.ends_with("/log")) return {.body = "first\nlast line\n", .type = "text/plain"};
    if (request.method == "GET") return show(route.substr(route.find('/') + 1));
    calls.push_back(request.method + " " + route);
    if (request.method == "POST" && route.ends_with("/rerun")) return revise(route.substr(5, route.size() - 11), "");
    if (route == "transform/dataType") return type(json::parse(request.body).as_object());
    if (request.method == "PATCH") return revise(route.substr(route.rfind('/') + 1), request.body);
    return create(route, request);
  }

  FakeServer::Handler handler() {
    return [this](const FakeRequest& request) { return answer(request); };
  }

 private:
  struct Revision {
    std::string operation;
    json::object request;
    int asked = 0;
    std::string status = "running";
  };
  struct Step {
    std::string service;
    std::vector<Revision> revisions;
  };

  static FakeReply result(json::value value) { return {.body = json::serialize(json::object{{"result", std::move(value)}})}; }

  FakeReply show(const std::string& name) {
    auto found = steps_.find(name);
    if (found == steps_.end()) return {.status = 404, .body = R"({"detail":"there is no such step"})"};
    auto& newest = found->second.revisions.back();
    auto limit = asked_until_end.contains(name) ? asked_until_end[name] : 2;
    if (newest.status == "running" && ++newest.asked >= limit)
      newest.status = ends_as.contains(name) ? ends_as[name] : "finished";
    else if (newest.status == "running" && server != nullptr)
      server->push_here(fmt::format("id: 1\nevent: running\ndata: {{\"name\":\"{}\"}}\n\n", name));
    json::array revisions;
    for (const auto& revision : found->second.revisions)
      revisions.push_back(json::object{{"revision", revisions.size() + 1},
                                       {"operation", revision.operation},
                                       {"status", revision.status},
                                       {"request", revision.request}});
    json::object view{{"name", name},
                      {"service", found->second.service},
                      {"operation", newest.operation},
                      {"revision", revisions.size()},
                      {"status", newest.status},
                      {"finished", newest.status != "running"},
                      {"revisions", revisions}};
    if (newest.status == "failed") view["exception"] = "ValueError: no";
    return result(view);
  }

  FakeReply create(const std::string& route, const FakeRequest& request) {
    auto query = route.find('?');
    auto service = route.substr(0, query);
    json::object body;
    if (query == std::string::npos) {
      body = json::parse(request.body).as_object();
    } else {
      body["datasetName"] = route.substr(route.find('=') + 1);
      body["upload"] = json::object{{"digest", "16d51c327d7d2547a793f8d7bbc4457a"}, {"bytes", request.body.size()}};
    }
    for (auto key : {"datasetName", "name", "outputDatasetName"}) {
      auto name = string_or(body, key);
      if (name.empty()) continue;
      if (steps_.contains(name)) return {.status = 409, .body = R"({"detail":"the name is taken"})"};
      steps_[name] = {.service = service, .revisions = {{.operation = service, .request = body}}};
      return {.status = 201, .body = R"({"result":"/url"})"};
    }
    return {.status = 406, .body = R"({"detail":"no name","errors":[{"pointer":"/name","detail":"is missing"}]})"};
  }

  FakeReply type(const json::object& body) {
    steps_.at(string_or(body, "inputDatasetName")).revisions.push_back({.operation = "transform/dataType", .request = body});
    return {.body = R"({"result":"/url"})"};
  }

  FakeReply revise(const std::string& name, const std::string& change) {
    auto& step = steps_.at(name);
    auto request = step.revisions.front().request;
    auto changed = change.empty() ? json::object() : json::parse(change).as_object();
    for (const auto& member : changed) request[member.key()] = member.value();
    step.revisions.push_back({.operation = step.service, .request = request});
    return {.status = 201, .body = R"({"result":"/url"})"};
  }

  std::map<std::string, Step> steps_;
};

}  // namespace lo::cli::testing
