"""How much memory a server and all that it has started take together."""

import contextlib
import pathlib
import threading

import psutil

from memory import proportional_set_size

INTERVAL = 0.1  # seconds


def together(pid):
    """MB, what processes share counted once."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):  # it has ended meanwhile
                total += proportional_set_size(process.pid)
    return total


class Peak:
    """The most that they took while the block ran, looked at ten times a second."""

    def __init__(self, server):
        self.server = server
        self.megabytes = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._ended.wait(INTERVAL):
            self.megabytes = max(self.megabytes, together(self.server.process.pid))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()
