"""Which descriptors a forked process keeps."""

from __future__ import annotations

import os
import socket


def keep_only(endpoint: socket.socket) -> socket.socket:
    """Moves `endpoint` to descriptor 3 and closes every other above it: nothing is inherited by chance. 0, 1 and 2 stay."""
    number = endpoint.detach()
    if number != 3:
        os.dup2(number, 3, inheritable=False)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    return socket.socket(fileno=3)


def discard_input() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if null > 2:
        os.close(null)


def use_output(pipe: int) -> None:
    """Standard output and error become `pipe`, which is closed."""
    os.dup2(pipe, 1)
    os.dup2(pipe, 2)
    if pipe > 2:
        os.close(pipe)
