"""What a step on another machine says and is told, over a TCP connection: frames of messages (PROTOCOL.md) and of what the step prints."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

MESSAGE, OUTPUT = b"m", b"o"  # what a frame holds; output without a byte: nothing is printed any more
HEAD = struct.Struct("!cI")  # what, and how many bytes follow
MOST_BYTES = 1 << 26  # of a frame: a step file may be large

@dataclass(frozen=True, slots=True)
class Patience:
    """With a peer that is silent, in seconds: when it is first tried, how often, and when the connection is given up, which is also how long what was
    sent may go without a receipt."""

    first: int
    every: int
    last: int


# The node gives up well before the client does: its step is killed before another attempt begins anywhere.
OF_NODE = Patience(first=4, every=2, last=9)
OF_CLIENT = Patience(first=5, every=3, last=16)


def watch(connection: socket.socket, patience: Patience) -> None:
    """From now on a peer that falls silent shows as a connection that broke. The kernel sees to it, whatever the processes are doing."""
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, patience.first),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, patience.every),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, (patience.last - patience.first) // patience.every + 1),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * patience.last),
    ):
        connection.setsockopt(level, option, value)


def frame(kind: bytes, content: bytes) -> bytes:
    """ValueError when it is too large."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"a frame has {len(content)} bytes, the most is {MOST_BYTES}")
    return HEAD.pack(kind, len(content)) + content


class Frames:
    """One end of a connection, for poll loops: nothing blocks, and what the peer has not taken yet is kept."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._unsent = bytearray()
        self._unread = bytearray()
        self.is_open = True

    def fileno(self) -> int:
        return self._connection.fileno()

    @property
    def has_unsent(self) -> bool:
        return self.is_open and bool(self._unsent)

    def send(self, kind: bytes, content: bytes) -> None:
        self._unsent += frame(kind, content)
        self.flush()

    def flush(self) -> None:
        """As much as goes now."""
        try:
            while self._unsent:
                del self._unsent[: self._connection.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._lost()

    def receive(self) -> Iterator[tuple[bytes, bytes]]:
        """The frames that have come; see is_open afterwards."""
        self._read()
        while len(self._unread) >= HEAD.size:
            kind, length = HEAD.unpack_from(self._unread)
            if len(self._unread) < HEAD.size + length:
                return
            content = bytes(self._unread[HEAD.size : HEAD.size + length])
            del self._unread[: HEAD.size + length]
            yield kind, content

    def _read(self) -> None:
        try:
            while received := self._connection.recv(1 << 16):
                self._unread += received
            self._lost()
        except BlockingIOError:
            pass
        except OSError:
            self._lost()

    def _lost(self) -> None:
        self.is_open = False
        self._unsent.clear()

    def close(self) -> None:
        self._connection.close()
