// One side of a SOCK_SEQPACKET connection that carries JSON objects, one per packet (runtime/python/PROTOCOL.md).
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/async.h"
#include "base/fd.h"
#include "base/json.h"

namespace lo::run {

inline constexpr std::size_t kMaxPacket = 64 * 1024;

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;  // to be passed on; close-on-exec like all
};

// A connected pair.
Result<SocketPair> make_packet_pair();

// Lives on one strand: every function is called there, every handler runs there. Never blocks.
class PacketChannel : public std::enable_shared_from_this<PacketChannel> {
 public:
  struct Handlers {
    std::function<void(const json::object& message)> message;
    std::function<void()> closed;  // once: the peer is gone, or the socket failed. Not after close()
  };

  static std::shared_ptr<PacketChannel> open(Strand strand, UniqueFd socket, Handlers handlers);
  PacketChannel(Strand strand, UniqueFd socket, Handlers handlers);

  // Queues a packet; the descriptors travel with it and are closed here once it is sent.
  void send(const json::object& message, std::vector<UniqueFd> descriptors = {});

  // Whether the other end is closed, asked of the kernel now: `closed` may not have run yet.
  bool is_peer_gone() const;

  // The peer has ended without having read all that was sent; or something was sent after close().
  bool lost_packets() const { return lost_packets_; }

  // Calls `message` for what has arrived and was not read yet.
  void receive_pending();

  // No handler is called any more. What was not sent is dropped.
  void close();

 private:
  struct Outgoing {
    std::string text;
    std::vector<UniqueFd> descriptors;
  };

  void await_packet();
  void receive_all();
  bool receive_one();
  void flush();
  void fail();

  mutable asio::posix::stream_descriptor socket_;
  std::shared_ptr<Handlers> handlers_;  // empty after close()
  std::deque<Outgoing> outgoing_;
  bool awaiting_room_ = false;
  bool lost_packets_ = false;
  std::unique_ptr<char[]> buffer_;  // kMaxPacket, once something has come
};

}  // namespace lo::run
