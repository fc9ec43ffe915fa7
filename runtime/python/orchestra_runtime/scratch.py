"""A step's working and temporary folder: made by its keeper, and gone with it.

Its owner holds a lock on it, which the kernel takes back when the owner dies: so one that was left behind is known.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "orchestra-step-"


class Scratch:
    def __init__(self) -> None:
        while True:
            self.path = tempfile.mkdtemp(prefix=_PREFIX)
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if os.path.exists(self.path):
                found = os.fstat(self._lock)
                self._made = (found.st_mode, found.st_ino)
                return
            os.close(self._lock)  # a sweep came between making and locking it

    def renewed(self) -> Scratch:
        """For the next step: this folder, if nothing was left in it and it is as it was made."""
        try:
            found = os.stat(self.path, follow_symlinks=False)
            if not os.listdir(self.path) and (found.st_mode, found.st_ino) == self._made:
                return self
        except OSError:
            pass
        self.remove()
        return Scratch()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep() -> None:
    """Removes folders of this user whose owners are dead."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if folder.stat().st_uid != os.getuid() or folder.is_symlink():
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # its owner lives
        finally:
            os.close(lock)
