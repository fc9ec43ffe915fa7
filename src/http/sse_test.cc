#include "http/sse.h"

#include <gtest/gtest.h>

namespace lo::http {
namespace {

TEST(Sse, FormatsAllFields) {
  Event event{.id = "7", .event = "step", .data = "{}", .retry = std::chrono::milliseconds(500)};
  EXPECT_EQ(format_event(event), "id: 7\nevent: step\nretry: 500\ndata: {}\n\n");
  EXPECT_EQ(format_event({}), "data: \n\n");
}

TEST(Sse, EachLineOfDataIsALine) {
  EXPECT_EQ(format_event({.data = "a\nb\r\nc\rd"}), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(format_event({.data = "a\n"}), "data: a\ndata: \n\n");
  EXPECT_EQ(format_event({.data = "\n\na"}), "data: \ndata: \ndata: a\n\n");
}

TEST(Sse, NothingForgesAField) {
  EXPECT_EQ(format_event({.id = std::string("1\ndata: x\0", 10), .event = "a\r\nid: 2", .data = "x\n\nid: 3"}),
            "id: 1data: x\nevent: aid: 2\ndata: x\ndata: \ndata: id: 3\n\n");
}

TEST(Sse, CommentsAreSkipped) {
  EXPECT_EQ(format_comment("still here"), ": still here\n\n");
  EXPECT_EQ(format_comment("a\ndata: b"), ": a\n: data: b\n\n");
}

}  // namespace
}  // namespace lo::http
