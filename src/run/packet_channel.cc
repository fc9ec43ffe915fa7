#include "run/packet_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace lo::run {
namespace {

constexpr std::size_t kMaxDescriptors = 4;

// Room for one control message with descriptors, aligned as the kernel wants it.
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxDescriptors)> data{};
};

// One packet with its descriptors; false with errno when the kernel does not take it.
bool send_packet(int socket, std::string_view text, const std::vector<UniqueFd>& descriptors) {
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};  // sendmsg only reads it
  Control control;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    std::array<int, kMaxDescriptors> numbers{};
    auto count = std::min(descriptors.size(), kMaxDescriptors);
    for (std::size_t i = 0; i < count; ++i) numbers.at(i) = descriptors[i].get();
    header.msg_control = control.data.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    auto* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
    std::memcpy(CMSG_DATA(rights), numbers.data(), sizeof(int) * count);
  }
  return ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

}  // namespace

Result<SocketPair> make_packet_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return fail_errno("socketpair", errno);
  return SocketPair{.ours = UniqueFd(ends[0]), .theirs = UniqueFd(ends[1])};
}

std::shared_ptr<PacketChannel> PacketChannel::open(Strand strand, UniqueFd socket, Handlers handlers) {
  auto channel = std::make_shared<PacketChannel>(std::move(strand), std::move(socket), std::move(handlers));
  channel->await_packet();
  return channel;
}

PacketChannel::PacketChannel(Strand strand, UniqueFd socket, Handlers handlers)
    : socket_(std::move(strand), socket.release()),
      handlers_(std::make_shared<Handlers>(std::move(handlers))) {}

void PacketChannel::send(const json::object& message, std::vector<UniqueFd> descriptors) {
  if (!handlers_) {
    lost_packets_ = true;
    return;
  }
  outgoing_.push_back({.text = json::serialize(message), .descriptors = std::move(descriptors)});
  if (!awaiting_room_) flush();
}

void PacketChannel::flush() {
  while (handlers_ && !outgoing_.empty()) {
    const auto& next = outgoing_.front();
    if (send_packet(socket_.native_handle(), next.text, next.descriptors)) {
      outgoing_.pop_front();
    } else if (errno == EAGAIN) {
      awaiting_room_ = true;
      socket_.async_wait(asio::posix::stream_descriptor::wait_write, [self = shared_from_this()](auto error) {
        self->awaiting_room_ = false;
        if (!error) self->flush();
      });
      return;
    } else if (errno != EINTR) {
      lost_packets_ = true;
      outgoing_.clear();  // the peer is gone; receiving will say so
      return;
    }
  }
}

bool PacketChannel::is_peer_gone() const {
  if (!handlers_) return true;
  pollfd state{.fd = socket_.native_handle(), .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

void PacketChannel::close() {
  handlers_.reset();
  outgoing_.clear();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void PacketChannel::await_packet() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](auto error) {
    if (!error) self->receive_all();
  });
}

void PacketChannel::receive_all() {
  receive_pending();
  if (handlers_) await_packet();
}

void PacketChannel::receive_pending() {
  while (handlers_ && receive_one()) {
  }
}

bool PacketChannel::receive_one() {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kMaxPacket);
  // Without room for control messages, the kernel closes descriptors that somebody might send.
  auto bytes = ::recv(socket_.native_handle(), buffer_.get(), kMaxPacket, MSG_DONTWAIT | MSG_TRUNC);
  // A peer that closes with packets of ours unread resets the connection: said once, before the packets that it sent.
  if (bytes < 0 && errno == ECONNRESET) lost_packets_ = true;
  if (bytes < 0 && (errno == EINTR || errno == ECONNRESET)) return true;
  if (bytes < 0 && errno == EAGAIN) return false;
  if (bytes <= 0) {
    fail();
    return false;
  }
  auto size = static_cast<std::size_t>(bytes);
  auto message = size > kMaxPacket ? Result<json::object>(lo::fail(Code::too_large, "over 64 kB"))
                                       : parse_json_object(std::string_view(buffer_.get(), size));
  auto handlers = handlers_;  // close() may be called inside
  if (message)
    handlers->message(*message);
  else
    log::warn("run: a packet of {} bytes was ignored: {}", bytes, message.error().message);
  return true;
}

void PacketChannel::fail() {
  auto handlers = handlers_;
  close();
  handlers->closed();
}

}  // namespace lo::run
