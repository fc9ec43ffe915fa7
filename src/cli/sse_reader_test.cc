#include "cli/sse_reader.h"

#include <gmock/gmock.h>

namespace lo::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SseReader, ReadsEvents) {
  SseReader reader;
  EXPECT_THAT(reader.feed("id: 7\nevent: finished\ndata: {\"a\":1}\n\n: comment\n\nretry: 5\ndata:x\ndata: y\n\n"),
              ElementsAre(SseEvent{"7", "finished", "{\"a\":1}"}, SseEvent{"7", "message", "x\ny"}));
}

TEST(SseReader, TakesAllLineEnds) {
  SseReader reader;
  EXPECT_THAT(reader.feed("data: a\r\n\r\ndata: b\r\rdata: c\n\n"),
              ElementsAre(SseEvent{"", "message", "a"}, SseEvent{"", "message", "b"}, SseEvent{"", "message", "c"}));
}

TEST(SseReader, GivesTheSameHoweverItIsCut) {
  std::string stream = "id:1\r\nevent: e\r\ndata: one\r\n\r\ndata\n\ndata: two\n\nid\ndata:\ndata: \n\nnonsense\n\n";
  SseReader whole;
  auto expected = whole.feed(stream);
  EXPECT_THAT(expected, ElementsAre(SseEvent{"1", "e", "one"}, SseEvent{"1", "message", ""}, SseEvent{"1", "message", "two"},
                                    SseEvent{"", "message", "\n"}));
  SseReader bytewise;
  std::vector<SseEvent> events;
  for (char c : stream)
    for (auto& event : bytewise.feed({&c, 1})) events.push_back(event);
  EXPECT_EQ(events, expected);
}

TEST(SseReader, KeepsWhatIsNotComplete) {
  SseReader reader;
  EXPECT_THAT(reader.feed("data: a"), IsEmpty());
  EXPECT_THAT(reader.feed("b\n"), IsEmpty());
  EXPECT_THAT(reader.feed("\n"), ElementsAre(SseEvent{"", "message", "ab"}));
}

}  // namespace
}  // namespace lo::cli
