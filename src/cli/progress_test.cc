#include "cli/progress.h"

#include <gmock/gmock.h>

#include "cli/screen.h"

namespace lo::cli {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

StepView step(std::string name, std::string status) {
  StepView view;
  view.name = std::move(name);
  view.service = "function/python";
  view.revision = 1;
  view.finished = status == "finished" || status == "failed" || status == "cancelled";
  view.status = std::move(status);
  view.revisions.push_back(
      {.revision = 1, .operation = view.service, .status = view.status, .reason = "", .exception = "", .request = {}});
  return view;
}

Terminal terminal(int columns, int rows) { return {.is_terminal = true, .colors = false, .columns = columns, .rows = rows}; }

class ProgressTest : public testing::Test {
 protected:
  FakeClock clock_;
  Progress progress_{{"a", "b"}, {"a"}, clock_};
};

TEST_F(ProgressTest, TellsEachChangeOnce) {
  auto waits = step("a", "waiting");
  waits.wait = "for d";
  EXPECT_EQ(progress_.update(waits), "a: waiting, for d");
  EXPECT_EQ(progress_.update(waits), std::nullopt);
  EXPECT_EQ(progress_.update(step("a", "running")), "a: running");
  clock_.advance(5s);
  EXPECT_EQ(progress_.update(step("a", "running")), std::nullopt);
  auto failed = step("a", "failed");
  failed.reason = "timeout";
  failed.exception = "Timeout: 5 s\nmore";
  failed.seconds = 5.25;
  EXPECT_EQ(progress_.update(failed), "a: failed (timeout) after 5.2 s, Timeout: 5 s");
  EXPECT_EQ(progress_.update(step("stranger", "running")), std::nullopt);
}

TEST_F(ProgressTest, KnowsWhatIsLeft) {
  EXPECT_THAT(progress_.unfinished(), ElementsAre("a", "b"));
  EXPECT_FALSE(progress_.succeeded());
  progress_.update(step("b", "finished"));
  EXPECT_THAT(progress_.unfinished(), ElementsAre("a"));
  progress_.update(step("a", "cancelled"));
  EXPECT_THAT(progress_.unfinished(), IsEmpty());
  EXPECT_FALSE(progress_.succeeded());
  ASSERT_EQ(progress_.failed().size(), 1u);
  progress_.update(step("a", "finished"));
  EXPECT_TRUE(progress_.succeeded());
}

TEST_F(ProgressTest, AFailedDataTypeCountsWhereItWasAskedFor) {
  for (std::string name : {"a", "b"}) {
    auto view = step(name, "finished");
    view.revision = 2;
    view.revisions.push_back({.revision = 2,
                              .operation = "transform/dataType",
                              .status = "failed",
                              .reason = "error",
                              .exception = "CastError: x",
                              .request = {}});
    progress_.update(view);
  }
  ASSERT_EQ(progress_.failed().size(), 1u);
  EXPECT_EQ(progress_.failed()[0]->name, "a");
  EXPECT_EQ(progress_.failed()[0]->exception, "CastError: x");
}

TEST_F(ProgressTest, DrawsALinePerStep) {
  EXPECT_THAT(progress_.live_lines(terminal(80, 24)), IsEmpty());
  progress_.update(step("a", "running"));
  auto waits = step("b", "waiting");
  waits.wait = "for a\x1b[2J";
  progress_.update(waits);
  clock_.advance(61s);
  progress_.note("a", json::parse(R"({"rows": 1000, "phase": "read", "deep": {}})").as_object());
  EXPECT_THAT(progress_.live_lines(terminal(80, 24)),
              ElementsAre("▸ a     running  61  rows 1000, phase read", "· b     waiting      for a\\x1b[2J"));
  EXPECT_THAT(progress_.live_lines(terminal(12, 24)), ElementsAre("▸ a     run…", "· b     wai…"));
}

TEST_F(ProgressTest, ShowsWhatIsStillOpenWhereThereIsNoRoomForAll) {
  progress_.update(step("a", "finished"));
  progress_.update(step("b", "running"));
  EXPECT_THAT(progress_.live_lines(terminal(80, 4)), ElementsAre(HasSubstr("b"), "  and 1 more"));
}

TEST_F(ProgressTest, TheTableShowsTheFirstMetrics) {
  auto a = step("a", "finished");
  a.all = json::parse(R"({"metrics": {"loss": 0.25, "accuracy": 0.87654321, "auc": 1, "f1": 0.5}})").as_object();
  progress_.update(a);
  EXPECT_THAT(progress_.result_lines({}), Contains(HasSubstr("loss 0.2500, accuracy 0.8765, auc 1, …")));
}

TEST_F(ProgressTest, EndsWithATable) {
  auto a = step("a", "finished");
  a.seconds = 1.26;
  a.all = json::parse(R"({"rows": 891})").as_object();
  auto b = step("b", "finished");
  b.all = json::parse(R"({"F1": "0.8123456789", "accuracy": "0.8"})").as_object();
  progress_.update(a);
  progress_.update(b);
  EXPECT_THAT(progress_.result_lines({{"a", "created"}, {"b", "reused"}}),
              ElementsAre("name  service          state              seconds  rows  F1      accuracy",
                          "a     function/python  finished  created  1.3      891",
                          "b     function/python  finished  reused                  0.8123  0.8000"));
}

std::string drawn_by(Terminal shown, const std::function<void(Screen&)>& use) {
  std::FILE* file = std::tmpfile();
  {
    Screen screen(file, shown);
    use(screen);
  }
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

TEST(Screen, DrawsInPlaceOnATerminal) {
  EXPECT_EQ(drawn_by(terminal(80, 24),
                     [](Screen& screen) {
                       screen.draw({"one", "two"});
                       screen.draw({"one", "two"});
                       screen.tell_change("not here");
                       screen.draw({"three"});
                     }),
            "one\x1b[K\ntwo\x1b[K\n\x1b[J"
            "\x1b[2A\rthree\x1b[K\n\x1b[J"
            "\x1b[1A\r\x1b[J");
}

TEST(Screen, SaysAboveTheTable) {
  EXPECT_EQ(drawn_by(terminal(80, 24),
                     [](Screen& screen) {
                       screen.draw({"table"});
                       screen.say("a\x1b");
                     }),
            "table\x1b[K\n\x1b[J\x1b[1A\r\x1b[Ja\\x1b\ntable\x1b[K\n\x1b[J\x1b[1A\r\x1b[J");
}

TEST(Screen, TellsLinesWhereNothingCanBeDrawn) {
  EXPECT_EQ(drawn_by({},
                     [](Screen& screen) {
                       screen.draw({"table"});
                       screen.tell_change("a: running");
                       screen.say("b");
                     }),
            "a: running\nb\n");
}

}  // namespace
}  // namespace lo::cli
