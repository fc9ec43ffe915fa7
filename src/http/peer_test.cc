#include "http/peer.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <string>

namespace lo::http {
namespace {

using asio::ip::tcp;

// A Peer and its client, in one thread that runs as far as it is told.
class PeerTest : public testing::Test {
 protected:
  static constexpr std::size_t kCapacity = 10;

  PeerTest() {
    tcp::acceptor acceptor(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    client_.connect(acceptor.local_endpoint());
    tcp::socket accepted(asio::any_io_executor(io_.get_executor()));
    acceptor.accept(accepted);
    peer_ = std::make_shared<Peer>(Transport(std::move(accepted), nullptr), kCapacity);
  }

  ~PeerTest() override {
    peer_->close();
    run();
  }

  // Begins to await more bytes; the result is in error_ once it is there.
  void begin_more() {
    error_.reset();
    asio::co_spawn(io_, [this]() -> Awaitable<void> { error_ = co_await peer_->more(); }, asio::detached);
  }

  // Runs what there is to run until nothing is left to do.
  void run() {
    io_.restart();
    io_.run();
  }

  std::string received() const {
    auto bytes = peer_->received();
    return {static_cast<const char*>(bytes.data()), bytes.size()};
  }

  asio::io_context io_;
  tcp::socket client_{io_};
  std::shared_ptr<Peer> peer_;
  std::optional<Peer::ErrorCode> error_;
};

TEST_F(PeerTest, KeepsWhatIsNotConsumed) {
  for (const auto* bytes : {"abc", "def"}) {
    asio::write(client_, asio::buffer(std::string_view(bytes)));
    begin_more();
    run();
    EXPECT_EQ(*error_, Peer::ErrorCode());
  }
  EXPECT_EQ(received(), "abcdef");
  peer_->consume(2);
  EXPECT_EQ(received(), "cdef");
  asio::write(client_, asio::buffer(std::string_view("gh")));
  begin_more();
  run();
  EXPECT_EQ(received(), "cdefgh");
}

TEST_F(PeerTest, TakesNoMoreAtCapacity) {
  asio::write(client_, asio::buffer(std::string_view("0123456789")));
  begin_more();
  run();
  begin_more();
  run();
  EXPECT_EQ(*error_, asio::error::no_buffer_space);
  peer_->consume(1);
  asio::write(client_, asio::buffer(std::string_view("a")));
  begin_more();
  run();
  EXPECT_EQ(received(), "123456789a");
}

TEST_F(PeerTest, TheDeadlineEndsARead) {
  peer_->expire_after(std::chrono::milliseconds(1));
  begin_more();
  run();
  EXPECT_EQ(*error_, asio::error::operation_aborted);
  EXPECT_TRUE(peer_->expired());
}

TEST_F(PeerTest, ADeadlineBetweenTwoReadsIsNotLost) {
  peer_->expire_after(std::chrono::milliseconds(0));
  run();
  ASSERT_TRUE(peer_->expired());
  begin_more();
  run();
  EXPECT_EQ(*error_, asio::error::operation_aborted);
  peer_->expire_after(std::chrono::hours(1));
  EXPECT_FALSE(peer_->expired()) << "a new deadline starts anew";
}

TEST_F(PeerTest, ALaterDeadlineReplacesAnEarlierOne) {
  peer_->expire_after(std::chrono::milliseconds(1));
  peer_->expire_after(std::chrono::milliseconds(2));
  begin_more();
  run();
  EXPECT_TRUE(peer_->expired());
}

TEST_F(PeerTest, ToldWhenTheClientLeaves) {
  int left = 0;
  peer_->watch([&] { ++left; });
  asio::write(client_, asio::buffer(std::string_view("next")));
  client_.close();
  run();
  EXPECT_EQ(left, 1);
  EXPECT_EQ(received(), "next");
}

TEST_F(PeerTest, NotToldWhenNobodyWatches) {
  int left = 0;
  peer_->watch([&] { ++left; });
  peer_->unwatch();
  client_.close();
  run();
  EXPECT_EQ(left, 0);
  begin_more();
  run();
  EXPECT_EQ(*error_, asio::error::eof);
  peer_->watch([&] { ++left; });
  EXPECT_EQ(left, 1) << "it has left already";
}

}  // namespace
}  // namespace lo::http
