"""The control groups of a job, version 1 (a folder per controller) or 2 (one folder)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from orchestra_runtime.records import Limits


def enter(folders: Sequence[str]) -> None:
    """Moves this process, which has one thread, into the groups. OSError, with the file's name, when one does not take it.

    A thread that moves itself (version 1 only) does so at once; for all else the kernel waits for every processor to pass a
    quiescent state, which takes 3 to 15 ms.
    """
    for folder in folders:
        own_thread = f"{folder}/tasks"
        with open(own_thread if os.path.exists(own_thread) else f"{folder}/cgroup.procs", "wb", buffering=0) as file:
            file.write(b"0")


def limit(folder: str, limits: Limits) -> None:
    """OSError, with the file's name, when one of its files does not take a limit that it is there for."""
    memory = str(limits.memory) if limits.memory is not None else None
    if os.path.exists(f"{folder}/memory.max"):
        _write(f"{folder}/memory.max", memory or "max")
        _write_if_there(f"{folder}/memory.swap.max", "0")
    elif os.path.exists(f"{folder}/memory.limit_in_bytes"):
        # The limit with swap is never below the one without, also in between.
        _write_if_there(f"{folder}/memory.memsw.limit_in_bytes", "-1")
        _write(f"{folder}/memory.limit_in_bytes", memory or "-1")
        if memory:
            _write_if_there(f"{folder}/memory.memsw.limit_in_bytes", memory)
    if limits.processes is not None:
        _write_if_there(f"{folder}/pids.max", str(limits.processes))


def used_memory(folders: Sequence[str]) -> int:
    """Bytes that are charged to them now, page cache included."""
    for folder in folders:
        for name in ("memory.current", "memory.usage_in_bytes"):
            if (text := _read(f"{folder}/{name}")).strip().isdecimal():
                return int(text)
    return 0


def reset_peak(folders: Sequence[str]) -> bool:
    """The peak begins anew. False where the kernel cannot do that (version 2)."""
    if any(os.path.exists(f"{folder}/memory.peak") for folder in folders):
        return False
    for folder in folders:
        _write_if_there(f"{folder}/memory.max_usage_in_bytes", "0")
    return True


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
    return sum(kills(_read(path).encode()) for path in files_of_kills(folders))


def files_of_kills(folders: Sequence[str]) -> list[str]:
    paths = [f"{folder}/{name}" for folder in folders for name in ("memory.events", "memory.oom_control")]
    return [path for path in paths if os.path.exists(path)]


def kills(counters: bytes) -> int:
    """What such a file says."""
    pairs = (line.split() for line in counters.splitlines())
    return sum(int(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] == b"oom_kill")


def _write(path: str, text: str) -> None:
    with open(path, "r+b", buffering=0) as file:
        file.write(text.encode())


def _write_if_there(path: str, text: str) -> None:
    if os.path.exists(path):
        _write(path, text)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
