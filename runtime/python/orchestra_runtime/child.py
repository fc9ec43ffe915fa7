"""The step process as its keeper has it: a process that waits, and a socket to it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence

from orchestra_runtime import channel, step
from orchestra_runtime.channel import Channel


class Child:
    def __init__(self, scratch: str, groups: Sequence[str], rehearse: bool) -> None:
        """Forks it. It waits until it is released or dismissed."""
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            step.live(theirs, scratch, groups, rehearse)
        theirs.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def is_connected(self) -> bool:
        return self._socket.fileno() >= 0

    def has_died(self) -> bool:
        """Asked before it is released; reaps it."""
        return os.waitpid(self.pid, os.WNOHANG)[0] != 0

    def release(self, start: bytes, descriptors: Sequence[int]) -> None:
        """Lets it run by the start message. OSError when it is dead."""
        Channel(self._socket).forward(start, descriptors)

    def dismiss(self) -> None:
        """It was not needed. It may be loading libraries for seconds yet: nobody waits for that."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._socket.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, packet: bytes) -> None:
        """Lost when it has ended or does not listen."""
        try:
            self._socket.send(packet, socket.MSG_DONTWAIT)
        except OSError:
            pass

    def receive(self) -> bytes | None:
        """A packet, without waiting; None when there is none, or it has closed its end: see is_connected."""
        try:
            packet = self._socket.recv(channel.MAX_PACKET, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            packet = b""
        if not packet:
            self._socket.close()
        return packet or None
