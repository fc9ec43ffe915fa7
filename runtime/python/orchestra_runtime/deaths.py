"""A pipe that becomes readable when a child has ended, for poll loops."""

from __future__ import annotations

import os
import resource
import signal
from typing import NamedTuple


class Ended(NamedTuple):
    """A child, with those of its own that it has waited for."""

    pid: int
    status: int  # as wait gives it
    usage: resource.struct_rusage


class Deaths:
    def __init__(self) -> None:
        """Takes SIGCHLD of this process."""
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def fileno(self) -> int:
        return self._reading

    def reap(self) -> tuple[list[Ended], bool]:
        """Children that have ended since; and whether any is left."""
        self._drain()
        ended: list[Ended] = []
        try:
            while (each := Ended(*os.wait4(-1, os.WNOHANG))).pid:
                ended.append(each)
        except ChildProcessError:
            return ended, False
        return ended, True

    def _drain(self) -> None:
        try:
            while os.read(self._reading, 4096):
                pass
        except BlockingIOError:
            pass
