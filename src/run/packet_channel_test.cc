#include "run/packet_channel.h"

#include <gmock/gmock.h>

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>

namespace lo::run {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PacketChannelTest : public testing::Test {
 protected:
  void open() {
    auto pair = make_packet_pair();
    ASSERT_TRUE(pair);
    peer_ = std::move(pair->theirs);
    channel_ = PacketChannel::open(asio::make_strand(asio::any_io_executor(io_.get_executor())), std::move(pair->ours),
                                   {.message = [this](const json::object& message) { heard_.push_back(json::serialize(message)); },
                                    .closed = [this] { ++closed_; }});
  }
  void SetUp() override { open(); }
  void TearDown() override {
    channel_->close();
    io_.poll();
  }
  void peer_sends(std::string_view text) { ASSERT_EQ(::send(peer_.get(), text.data(), text.size(), 0), std::ssize(text)); }
  std::string peer_receives() {
    std::string text(kMaxPacket, '\0');
    auto bytes = ::recv(peer_.get(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
    return text;
  }

  asio::io_context io_;
  UniqueFd peer_;
  std::shared_ptr<PacketChannel> channel_;
  std::vector<std::string> heard_;
  int closed_ = 0;
};

TEST_F(PacketChannelTest, HearsEachPacketOnce) {
  peer_sends(R"({"a":1})");
  peer_sends(R"({"b":2})");
  io_.poll();
  EXPECT_THAT(heard_, ElementsAre(R"({"a":1})", R"({"b":2})"));
}

TEST_F(PacketChannelTest, IgnoresWhatIsNoObject) {
  peer_sends("[1]");
  peer_sends("{");
  peer_sends(std::string(kMaxPacket + 1, ' '));
  peer_sends(R"({"c":3})");
  io_.poll();
  EXPECT_THAT(heard_, ElementsAre(R"({"c":3})"));
}

TEST_F(PacketChannelTest, TellsTheEndOnceAfterTheLastPacket) {
  peer_sends(R"({"last":true})");
  peer_.reset();
  io_.poll();
  EXPECT_THAT(heard_, ElementsAre(R"({"last":true})"));
  EXPECT_EQ(closed_, 1);
}

// As a keeper that is told to stop again while it says its last word.
TEST_F(PacketChannelTest, HearsTheLastPacketOfAPeerThatLeftOursUnread) {
  channel_->send({{"type", "stop"}});
  peer_sends(R"({"last":true})");
  peer_.reset();
  io_.poll();
  EXPECT_THAT(heard_, ElementsAre(R"({"last":true})"));
  EXPECT_EQ(closed_, 1);
  EXPECT_TRUE(channel_->lost_packets());
}

TEST_F(PacketChannelTest, KnowsWhetherThePeerReadEverything) {
  channel_->send({{"a", 1}});
  EXPECT_EQ(peer_receives(), R"({"a":1})");
  peer_.reset();
  io_.poll();
  EXPECT_EQ(closed_, 1);
  EXPECT_FALSE(channel_->lost_packets());
  channel_->send({{"a", 2}});
  EXPECT_TRUE(channel_->lost_packets());
}

TEST_F(PacketChannelTest, IsSilentAfterClose) {
  peer_sends(R"({"a":1})");
  channel_->close();
  io_.poll();
  EXPECT_THAT(heard_, IsEmpty());
  EXPECT_EQ(closed_, 0);
}

TEST_F(PacketChannelTest, SendsDescriptors) {
  std::vector<UniqueFd> descriptors;
  descriptors.emplace_back(::dup(peer_.get()));
  channel_->send({{"with", "one"}}, std::move(descriptors));
  iovec part{};
  char text[100];
  part = {.iov_base = text, .iov_len = sizeof text};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ASSERT_GT(::recvmsg(peer_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), 0);
  auto* rights = CMSG_FIRSTHDR(&header);
  ASSERT_NE(rights, nullptr);
  EXPECT_EQ(rights->cmsg_type, SCM_RIGHTS);
  int received = -1;
  std::copy_n(CMSG_DATA(rights), sizeof received, reinterpret_cast<unsigned char*>(&received));
  UniqueFd owner(received);
  EXPECT_TRUE(owner);
}

// A peer that does not read fills the socket; what does not fit waits and comes later, in order.
TEST_F(PacketChannelTest, KeepsWhatThePeerDoesNotTakeYet) {
  constexpr int kPackets = 2'000;
  for (int i = 0; i < kPackets; ++i) channel_->send({{"n", i}});
  for (int i = 0; i < kPackets; ++i) {
    io_.poll();
    ASSERT_EQ(peer_receives(), R"({"n":)" + std::to_string(i) + "}");
  }
}

TEST_F(PacketChannelTest, SendingToNobodyIsNoError) {
  EXPECT_FALSE(channel_->is_peer_gone());
  peer_.reset();
  EXPECT_TRUE(channel_->is_peer_gone());
  channel_->send({{"a", 1}});
  io_.poll();
  EXPECT_EQ(closed_, 1);
  EXPECT_TRUE(channel_->lost_packets());
}

}  // namespace
}  // namespace lo::run
