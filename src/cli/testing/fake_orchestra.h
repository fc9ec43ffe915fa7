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
#include "workflow/plan.h"
#include "workflow/services.h"

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
  json::array removed;             // what POST workflow tells of steps that are in no file any more
  FakeServer* server = nullptr;

  FakeReply answer(const FakeRequest& request) {
    if (auto reply = before(request)) return *reply;
    auto route = request.target.substr(kPrefix.size() + 1);
    if (route.starts_with("observe/stream")) return {.keep_open = true};
    if (route.starts_with("step?")) return result(json::array());
    if (request.method == "GET" && route.ends_with("/log")) return {.body = "first\nlast line\n", .type = "text/plain"};
    if (request.method == "GET") return show(route.substr(route.find('/') + 1));
    calls.push_back(request.method + " " + route);
    if (route == "workflow") return post_workflow(request.body);
    if (request.method == "PATCH") return patch_file(route, request);
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
    return result(view_of(name));
  }

  json::object view_of(const std::string& name) const {
    const auto& step = steps_.at(name);
    const auto& newest = step.revisions.back();
    json::array revisions;
    for (const auto& revision : step.revisions)
      revisions.push_back(json::object{{"revision", revisions.size() + 1},
                                       {"operation", revision.operation},
                                       {"status", revision.status},
                                       {"request", revision.request}});
    json::object view{{"name", name},
                      {"service", step.service},
                      {"operation", newest.operation},
                      {"revision", revisions.size()},
                      {"status", newest.status},
                      {"finished", newest.status != "running"},
                      {"revisions", revisions}};
    if (newest.status == "failed") view["exception"] = "ValueError: no";
    return view;
  }

  FakeReply create(const std::string& route, const FakeRequest& request) {
    auto query = route.find('?');
    auto service = route.substr(0, query);
    json::object body;
    if (query == std::string::npos) {
      body = json::parse(request.body).as_object();
    } else {
      auto begin = route.find("datasetName=") + 12;
      body["datasetName"] = route.substr(begin, route.find('&', begin) - begin);
      body["upload"] = upload_of(request.body);
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

  FakeReply patch_file(const std::string& route, const FakeRequest& request) {
    auto begin = route.rfind('/') + 1;
    auto name = route.substr(begin, route.find('?') - begin);
    revise(name, {{"upload", upload_of(request.body)}});
    return {.status = 201, .body = R"({"result":"/url"})"};
  }

  // The server's own plan, carried out on what is stored here.
  FakeReply post_workflow(const std::string& body) {
    auto flow = *workflow::parse_workflow(*workflow::read_json(body), "");
    workflow::Stored stored;
    for (const auto& [name, step] : steps_) stored.emplace(name, *workflow::step_view_from(view_of(name)));
    json::array steps;
    auto actions = *workflow::make_plan(flow, stored);
    for (const auto& action : actions) {
      const auto& step = flow.steps[action.step];
      carry_out(step, action);
      for (const auto& name : action.names.empty() ? std::vector{step.title} : action.names)
        steps.push_back({{"name", name},
                         {"service", step.service},
                         {"action", word_of(action.act)},
                         {"reason", action.reason},
                         {"finished", action.act == workflow::Act::reuse && !action.under_way}});
    }
    return {.status = 201, .body = json::serialize(json::object{{"result", "/url"}, {"steps", steps}, {"removed", removed}})};
  }

  static std::string_view word_of(workflow::Act act) {
    switch (act) {
      case workflow::Act::reuse: return "reused";
      case workflow::Act::create: return "created";
      case workflow::Act::patch: return "changed";
      case workflow::Act::rerun: return "run again";
    }
    return "";
  }

  void carry_out(const workflow::FileStep& step, const workflow::Action& action) {
    if (action.act == workflow::Act::reuse) return;
    if (step.service == workflow::kDataType)
      steps_.at(step.title).revisions.push_back({.operation = step.service, .request = action.body});
    else if (action.act == workflow::Act::create)
      steps_[step.title] = {.service = step.service, .revisions = {{.operation = step.service, .request = action.body}}};
    else
      revise(step.title, action.body);
  }

  void revise(const std::string& name, const json::object& change) {
    auto& step = steps_.at(name);
    auto request = step.revisions.front().request;
    for (const auto& member : change) request[member.key()] = member.value();
    step.revisions.push_back({.operation = step.service, .request = request});
  }

  // Equal for equal files.
  static json::object upload_of(const std::string& content) {
    std::string digest = content == "a,b\n1,2\n" ? "16d51c327d7d2547a793f8d7bbc4457a" : kOtherDigest;
    return {{"digest", digest}, {"bytes", content.size()}};
  }

  static constexpr const char* kOtherDigest = "00000000000000000000000000000000";

  std::map<std::string, Step> steps_;
};

}  // namespace lo::cli::testing
