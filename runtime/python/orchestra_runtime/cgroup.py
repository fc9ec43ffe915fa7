"""The control groups of a job, version 1 (a folder per controller) or 2 (one folder)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def enter(folders: Sequence[str]) -> None:
    """Moves this process, which has one thread, into the groups. OSError, with the file's name, when one does not take it.

    A thread that moves itself (version 1 only) does so at once; for all else the kernel waits for every processor to pass a
    quiescent state, which takes 3 to 15 ms.
    """
    for folder in folders:
        own_thread = f"{folder}/tasks"
        with open(own_thread if os.path.exists(own_thread) else f"{folder}/cgroup.procs", "wb", buffering=0) as file:
            file.write(b"0")


def kill(folders: Sequence[str]) -> None:
    """Kills all processes of the groups at once where the kernel can (version 2, since Linux 5.14)."""
    for folder in folders:
        try:
            with open(f"{folder}/cgroup.kill", "r+b", buffering=0) as file:
                file.write(b"1")
        except OSError:
            pass


def limits_memory(folders: Sequence[str]) -> bool:
    return any(os.path.exists(f"{folder}/{name}") for folder in folders for name in ("memory.max", "memory.limit_in_bytes"))


def peak_memory(folders: Sequence[str]) -> int | None:
    """Bytes; None when no group counts them."""
    for folder in folders:
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            if (text := _read(f"{folder}/{name}")).strip().isdecimal():
                return int(text)
    return None


def out_of_memory_kills(folders: Sequence[str]) -> int:
    """How many processes of the groups the kernel has killed for their memory."""
    return sum(_counter(f"{folder}/{name}", "oom_kill") for folder in folders for name in ("memory.events", "memory.oom_control"))


def _counter(path: str, key: str) -> int:
    pairs = (line.split() for line in _read(path).splitlines())
    return sum(int(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] == key)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
