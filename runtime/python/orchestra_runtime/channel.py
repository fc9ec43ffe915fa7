"""Messages over a socket of type SOCK_SEQPACKET: one packet is one JSON object. See PROTOCOL.md."""

from __future__ import annotations

import json
import socket
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestra_runtime import plain

MAX_PACKET = 64 * 1024


def pack(message: Mapping[str, Any]) -> bytes:
    """ValueError when it does not fit into a packet."""
    packet = _encoded(message)
    if len(packet) > MAX_PACKET:
        raise ValueError(f"a message of type '{message.get('type')}' has {len(packet)} bytes, the most is {MAX_PACKET}")
    return packet


def _encoded(message: Mapping[str, Any]) -> bytes:
    """What is JSON already, as most messages are, is not copied first."""
    try:
        packet = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
        if b"\\ud" not in packet:  # half of a character outside the basic plane, or none at all
            return packet
    except (TypeError, ValueError):
        pass
    return json.dumps(plain.jsonable(message), separators=(",", ":"), allow_nan=False).encode()


def unpack(packet: bytes) -> dict[str, Any]:
    message = json.loads(packet)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ValueError("a message is a JSON object with a member 'type'")
    return message


class Channel:
    """Blocking, for one reader and any number of writers: a packet is sent whole or not at all."""

    def __init__(self, endpoint: socket.socket) -> None:
        self._socket = endpoint

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """OSError when the other side is gone."""
        self.forward(pack(message), descriptors)

    def forward(self, packet: bytes, descriptors: Sequence[int] = ()) -> None:
        """A packet as it is. OSError when the other side is gone."""
        if descriptors:
            socket.send_fds(self._socket, [packet], list(descriptors))
        else:
            self._socket.send(packet)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Sends what the other side can do without: nothing happens when it is gone."""
        try:
            self.send(message)
        except OSError:
            pass

    def receive(self, descriptors: int = 0) -> tuple[dict[str, Any] | None, list[int]]:
        """The next message, with at most so many descriptors, close-on-exec and owned by the caller. None at the end."""
        packet, received = self.receive_packet(descriptors)
        return (unpack(packet) if packet else None), received

    def receive_packet(self, descriptors: int = 0) -> tuple[bytes, list[int]]:
        """The same as it came; empty at the end."""
        # Not socket.recv_fds: it ignores its flags in Python 3.11.
        space = socket.CMSG_SPACE(descriptors * array("i").itemsize) if descriptors else 0
        try:
            packet, extras, _, _ = self._socket.recvmsg(MAX_PACKET, space, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:  # it closed with packets of ours unread: said once, before the packets that it sent
            packet, extras, _, _ = self._socket.recvmsg(MAX_PACKET, space, socket.MSG_CMSG_CLOEXEC)
        received = array("i")
        for level, kind, data in extras:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                received.frombytes(data[: len(data) - len(data) % received.itemsize])
        return packet, list(received)

    def messages(self) -> Iterator[dict[str, Any]]:
        """Until the other side closes."""
        while True:
            try:
                message, _ = self.receive()
            except OSError:
                return
            if message is None:
                return
            yield message

    def close(self) -> None:
        self._socket.close()
