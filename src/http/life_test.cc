#include "http/life.h"

#include <gtest/gtest.h>

namespace lo::http {
namespace {

// A life with a coroutine's stand-in that counts how often it is cancelled.
struct Watched {
  Life life;
  int cancels = 0;
  Watched() {
    life.slot().assign([this](boost::asio::cancellation_type) { ++cancels; });
  }
};

TEST(Life, LeavingCancelsOnlyWhatMayBeCancelled) {
  Watched get;
  get.life.begin_handler(true);
  get.life.client_left();
  EXPECT_EQ(get.cancels, 1);
  Watched post;
  post.life.begin_handler(false);
  post.life.client_left();
  EXPECT_EQ(post.cancels, 0);
  post.life.allow_cancel();
  EXPECT_EQ(post.cancels, 1) << "also when the client left before";
}

TEST(Life, DrainingCancelsStreamsOnly) {
  Watched watched;
  watched.life.begin_handler(true);
  watched.life.drain();
  EXPECT_EQ(watched.cancels, 0);
  watched.life.begin_stream();
  EXPECT_EQ(watched.cancels, 1);
  EXPECT_TRUE(watched.life.only_drained());
  watched.life.client_left();
  EXPECT_FALSE(watched.life.only_drained());
}

TEST(Life, AbortCancelsAnythingOnce) {
  Watched watched;
  watched.life.begin_handler(false);
  watched.life.abort();
  watched.life.abort();
  watched.life.client_left();
  watched.life.allow_cancel();
  EXPECT_EQ(watched.cancels, 1);
  EXPECT_TRUE(watched.life.cancelled());
}

TEST(Life, IsIdleBetweenRequests) {
  Life life;
  EXPECT_TRUE(life.idle());
  life.begin_request();
  EXPECT_FALSE(life.idle());
  life.begin_handler(true);
  life.end_answer();
  EXPECT_TRUE(life.idle());
  life.client_left();
  EXPECT_FALSE(life.cancelled()) << "the end of the socket ends a connection that is idle";
}

}  // namespace
}  // namespace lo::http
