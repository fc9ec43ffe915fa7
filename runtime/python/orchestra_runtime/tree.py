"""The processes below this one: who they are, and signals to all of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

_MAX_STOP_PASSES = 100


def terminate() -> None:
    """SIGTERM to every descendant; a stopped one is woken to get it."""
    for pid in list(descendants()):
        _send(pid, signal.SIGTERM)
        _send(pid, signal.SIGCONT)


def kill(below: int | None = None) -> None:
    """SIGKILL to every descendant; or only to the child `below` and its own. They are stopped first, until there are no new ones,
    so that none forks away meanwhile. Call again until no child is left: what is orphaned becomes a child of the caller, which
    is a subreaper."""
    stopped: set[int] = set()
    for _ in range(_MAX_STOP_PASSES):
        fresh = [pid for pid in descendants(below) if pid not in stopped]
        if not fresh:
            break
        _each(fresh, signal.SIGSTOP)
        stopped.update(fresh)
    _each(list(descendants(below)), signal.SIGKILL)


def has_children() -> bool:
    """Of this process, ended ones that nobody waited for among them."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return True
    except ChildProcessError:
        return False


def children(pid: int) -> list[int]:
    """Of all threads of `pid`; empty when it is gone."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb", buffering=0) as file:
                found += map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def descendants(below: int | None = None) -> Iterator[int]:
    pending = [below] if below is not None else children(os.getpid()) if has_children() else []
    while pending:
        pid = pending.pop()
        yield pid
        pending += children(pid)


def _each(pids: list[int], number: signal.Signals) -> None:
    """To their process groups first: a group gets a signal as a whole, also members that are forked this very moment."""
    groups = {group for pid in pids if (group := _group(pid)) is not None}
    for group in groups - {os.getpgrp()}:
        with suppress(ProcessLookupError):
            os.killpg(group, number)
    for pid in pids:
        _send(pid, number)


def _send(pid: int, number: signal.Signals) -> None:
    """Only while it is a descendant: a process id may belong to somebody else by now, a pidfd does not."""
    with suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            if _is_descendant(pid):
                signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid) if _is_descendant(pid) else None
    except ProcessLookupError:
        return None


def _is_descendant(pid: int) -> bool:
    top = os.getpid()
    while pid > 1:
        pid = _parent(pid)
        if pid == top:
            return True
    return False


def _parent(pid: int) -> int:
    """0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
