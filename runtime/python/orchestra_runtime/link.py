"""A keeper's connection to the server: never blocks until the last word, and keeps what the server has not yet taken."""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Mapping
from typing import Any

from orchestra_runtime import channel

LAST_WORD = 10.0  # seconds that a server which does not read delays the keeper's end


class Link:
    def __init__(self, endpoint: socket.socket) -> None:
        endpoint.setblocking(False)
        self._socket = endpoint
        self._unsent: deque[bytes] = deque()
        self.is_open = True

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def is_busy(self) -> bool:
        """The server has not taken everything."""
        return bool(self._unsent)

    @property
    def interest(self) -> int:
        return select.POLLIN | (select.POLLOUT if self._unsent else 0)

    def tell(self, message: Mapping[str, Any]) -> None:
        self.forward(channel.pack(message))

    def forward(self, packet: bytes) -> None:
        self._unsent.append(packet)
        self.flush()

    def flush(self) -> None:
        """As much as the server takes now."""
        try:
            while self._unsent:
                self._socket.send(self._unsent[0])
                self._unsent.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._lost()

    def hear(self) -> bytes | None:
        """A packet; None when there is none, or the server is gone: see is_open."""
        try:
            packet = self._socket.recv(channel.MAX_PACKET)
        except BlockingIOError:
            return None
        except OSError:
            packet = b""
        if not packet:
            self._lost()
        return packet or None

    def close(self) -> None:
        """After the last word is sent."""
        self._socket.settimeout(LAST_WORD)
        self.flush()
        self._discard_unread()
        self._socket.close()

    def _discard_unread(self) -> None:
        """Closing with packets unread would reset the connection before the server has read the last word."""
        try:
            self._socket.shutdown(socket.SHUT_RD)
            while self._socket.recv(channel.MAX_PACKET):
                pass
        except OSError:
            pass

    def _lost(self) -> None:
        self.is_open = False
        self._unsent.clear()
