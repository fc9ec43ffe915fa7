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

    def clear(self) -> None:
        """Removes it, unless it is empty and as it was made."""
        if not self._is_fit():
            shutil.rmtree(self.path, ignore_errors=True)

    def renewed(self) -> Scratch:
        """After clear(), for the next step: this folder, or another one. OSError."""
        if self._is_fit():
            return self
        os.close(self._lock)
        return Scratch()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)

    def _is_fit(self) -> bool:
        try:
            found = os.stat(self.path, follow_symlinks=False)
            return not os.listdir(self.path) and (found.st_mode, found.st_ino) == self._made
        except OSError:
            return False


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
