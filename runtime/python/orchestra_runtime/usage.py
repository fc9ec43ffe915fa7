"""What a step takes of the machine."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from typing import Any

from orchestra_runtime import cgroup, tree

_TICKS = os.sysconf("SC_CLK_TCK")


class Usage:
    """From now on."""

    def __init__(self, groups: Sequence[str]) -> None:
        """`groups`: the control groups of this process, if they are the step's own."""
        self._groups = groups
        self._before = _cpu_seconds()
        try:
            with open("/proc/self/clear_refs", "wb", buffering=0) as file:
                file.write(b"5")  # proc(5): the peak of the resident set begins anew
        except OSError:  # where /proc is not ours to write, it is the process's
            pass

    def so_far(self) -> dict[str, Any]:
        """As a message has it: seconds of this process and all below it, bytes. Empty when it cannot be read."""
        try:
            seconds = _cpu_seconds() - self._before + sum(map(_cpu_seconds_of, tree.descendants()))
            return {"cpu_seconds": seconds, "peak_memory": cgroup.peak_memory(self._groups) or _peak_memory()}
        except OSError:
            return {}


def _peak_memory() -> int:
    """Resident in this process: it says nothing of those that a step started. (After a fork a process's peak begins with its own.)"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _cpu_seconds_of(pid: int) -> float:
    """With those that it has waited for; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return sum(map(int, file.read().rpartition(b")")[2].split()[11:15])) / _TICKS
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def _cpu_seconds() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)
