"""Which descriptors a forked process keeps."""

from __future__ import annotations

import faulthandler
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_MOST_HELD = 64 * 1024


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


def discard_output() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    use_output(null)


@contextmanager
def errors_held_back() -> Iterator[None]:
    """What is written to standard error meanwhile is shown only if an exception passes. A crash still says where it was."""
    real, held = os.dup(2), os.memfd_create("errors")
    os.dup2(held, 2)
    faulthandler.enable(file=real)
    try:
        yield
    except BaseException:
        os.write(real, os.pread(held, _MOST_HELD, 0))
        raise
    finally:
        os.dup2(real, 2)
        faulthandler.enable(file=2)
        os.close(real)
        os.close(held)
