// Results that are taken from another revision, as the conductor does it.
#include "engine/cache_key.h"
#include "engine/conductor_fixture.h"

namespace lo::engine {
namespace {

class ReuseTest : public ConductorTest {
 protected:
  static json::object code(std::string text, bool use = true) {
    json::object request{{"function", std::move(text)}};
    if (use) request["cache"] = "use";
    return request;
  }

  static json::object manifest(std::string digest) {
    return {{"kind", "object"}, {"parts", json::array{{{"name", "object.pickle"}, {"digest", std::move(digest)}}}}};
  }

  JobRequest run(std::size_t n, std::string digest) {
    auto job = life->runner.wait_for_job(n);
    auto outcome = finished(manifest(digest));
    outcome.facts = {{kResultDigest, digest}, {"fitTime", 3}};
    life->runner.end(job, outcome);
    settle_down();
    return job;
  }

  catalog::Revision until_finished(const std::string& name) {
    auto revision = newest(name);
    while (!is_terminal(revision.state)) revision = newest(name);
    return revision;
  }

  Result<Accepted> change(std::string name, json::object request, std::vector<Mention> mentions = {}) {
    Revise revision{.name = std::move(name), .kind = Revise::Kind::replace, .operation = "function/python", .request = std::move(request),
                    .mentions = std::move(mentions), .cascade = true};
    return wait<Result<Accepted>>([&](auto done) { life->conductor->revise(std::move(revision), std::move(done)); });
  }
};

TEST_F(ReuseTest, TakesTheResultOfAnotherStepAndSaysWhose) {
  submit({"a"}, {}, code("1", false));
  run(0, "d1");
  submit({"b"}, {}, code("1"));
  auto b = until_finished("b");
  EXPECT_EQ(b.state, State::finished);
  EXPECT_EQ(b.result, manifest("d1"));
  EXPECT_EQ(b.facts.at("fitTime"), 3);
  EXPECT_EQ(b.facts.at(kCached), (json::object{{"name", "a"}, {"revision", 1}}));
  EXPECT_EQ(life->runner.started(), 1U);
  submit({"c"}, {}, code("2"));
  submit({"d"}, {}, code("1", false));
  EXPECT_EQ(run(1, "d2").members.front().name, "c");
  EXPECT_EQ(run(2, "d1").members.front().name, "d");
}

TEST_F(ReuseTest, SurvivesAKillAndForgetsTheDeleted) {
  submit({"a"}, {}, code("1"));
  run(0, "d1");
  kill_and_restart();
  submit({"b"}, {}, code("1"));
  EXPECT_EQ(until_finished("b").facts.at(kCached).at("name"), "a");
  EXPECT_TRUE(remove("a"));
  EXPECT_TRUE(remove("b"));
  submit({"c"}, {}, code("1"));
  EXPECT_EQ(run(0, "d1").members.front().name, "c");
}

TEST_F(ReuseTest, TheInputsCount) {
  submit({"x"}, {}, code("x"));
  submit({"y"}, {}, code("y"));
  run(0, "dx");
  run(1, "dy");
  submit({"a"}, {"x"}, code("1"));
  run(2, "d1");
  submit({"b"}, {"x"}, code("1"));
  EXPECT_EQ(until_finished("b").facts.at(kCached).at("name"), "a");
  submit({"c"}, {"y"}, code("1"));
  EXPECT_EQ(run(3, "d1").members.front().name, "c");
}

TEST_F(ReuseTest, ACascadeStopsWhereNothingChanged) {
  submit({"a"}, {}, code("1", false));
  submit({"b"}, {"a"}, code("2", false));
  submit({"c"}, {"b"}, code("3", false));
  run(0, "da");
  run(1, "db");
  run(2, "dc");
  change("a", code("1 + 0", false));
  run(3, "da");  // comes out the same
  EXPECT_EQ(until_finished("c").key.revision, 2);
  EXPECT_EQ(life->runner.started(), 4U);
  EXPECT_EQ(newest("c").facts.at(kCached), (json::object{{"name", "c"}, {"revision", 1}}));
  change("a", code("2", false));
  run(4, "da2");
  run(5, "db");  // b comes out the same with another a
  EXPECT_EQ(until_finished("c").key.revision, 3);
  EXPECT_EQ(life->runner.started(), 6U);
}

TEST_F(ReuseTest, WhoAsksForARunGetsOne) {
  submit({"a"}, {}, code("1", false));
  run(0, "d1");
  wait<Result<Accepted>>([&](auto done) { life->conductor->rerun("a", false, std::move(done)); });
  EXPECT_EQ(run(1, "d2").members.front().key.revision, 2);
}

TEST_F(ReuseTest, AResultThatIsGoneIsMade) {
  whole = false;
  submit({"a"}, {}, code("1"));
  run(0, "d1");
  submit({"b"}, {}, code("1"));
  EXPECT_EQ(run(1, "d1").members.front().name, "b");
  EXPECT_FALSE(newest("b").facts.contains(kCached));
}

TEST_F(ReuseTest, WhatLooksOutsideIsTakenOnlyAsLongAsThatIsTheSame) {
  auto request = code("x");
  request["datasetURI"] = "https://example.org/x.csv";
  outside = "v1";
  submit({"a"}, {}, request);
  run(0, "d1");
  submit({"b"}, {}, request);
  EXPECT_EQ(until_finished("b").facts.at(kCached).at("name"), "a");
  outside = "v2";
  submit({"c"}, {}, request);
  run(1, "d2");
  outside = std::nullopt;
  submit({"d"}, {}, request);
  EXPECT_EQ(run(2, "d2").members.front().name, "d");
}

TEST_F(ReuseTest, ACancelWhileTheResultIsFetchedWins) {
  submit({"a"}, {}, code("1"));
  run(0, "d1");
  auto before = settled.load();
  std::promise<void> held, go;
  life->pool.post([&] {
    held.set_value();
    go.get_future().wait();
  });
  held.get_future().wait();
  submit({"b"}, {}, code("1"));
  EXPECT_TRUE(cancel("b"));
  go.set_value();
  EXPECT_EQ(until_finished("b").state, State::cancelled);
  EXPECT_EQ(settled, before + 1);  // what was claimed is given back
}

}  // namespace
}  // namespace lo::engine
