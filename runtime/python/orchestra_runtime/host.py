"""A process that does one step after the other, all of one owner: what `isolation: "shared"` asks for.

A step finds the surroundings of a fresh program, but for what its predecessors changed within libraries. A process in which a step left
threads, processes or much memory behind does no other.
"""

from __future__ import annotations

import _signal
import gc
import linecache
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence

from orchestra_runtime import cgroup, descriptors, limits, reporting, streams, tree, work
from orchestra_runtime.channel import Channel
from orchestra_runtime.kernel_file import KernelFile

MOST_KEPT = 256 * 1024 * 1024  # bytes of memory more than at first, with which a process is still used again; or an eighth of its limit
WORTH_COLLECTING = 4 * 1024 * 1024  # bytes
_LIMITS = [value for name, value in vars(resource).items() if name.startswith("RLIMIT_")]


def serve(lane: Channel, scratch: str, groups: Sequence[str], memory: int | None) -> None:
    """Until the server closes the lane, or a step leaves something behind. `groups`: its control groups; `memory`: its limit in bytes. OSError,
    ValueError when a step cannot be begun."""
    surroundings = Surroundings(scratch, groups, memory)
    while True:
        try:
            message, received = lane.receive(descriptors=1)
        except OSError:  # a step closed it
            return
        if message is None:
            return
        descriptors.use_output(received[0])
        work.do(work.read(message), lane)
        surroundings.restore()
        reusable = surroundings.are_clean()
        lane.tell({"type": "ended", "token": message["token"], "reusable": reusable})
        if not reusable:
            return


class Surroundings:
    """What a program finds around itself, as it was before the first step."""

    def __init__(self, scratch: str, groups: Sequence[str], memory: int | None) -> None:
        self._scratch = scratch
        self._most_kept = MOST_KEPT if memory is None else min(MOST_KEPT, memory // 8)
        self._environment = dict(_environment())
        self._path = list(sys.path)
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._main = sys.modules["__main__"]
        self._signals = {number: _signal.getsignal(number) for number in map(int, signal.valid_signals())}
        self._limits = _resource_limits()
        self._statm = KernelFile("/proc/self/statm")
        self._children_of_keeper = KernelFile(f"/proc/{os.getppid()}/task/{os.getppid()}/children")
        self._kills = [KernelFile(path) for path in cgroup.files_of_kills(groups)]
        self._descriptors = len(os.listdir("/proc/self/fd"))
        self._memory = self._data_bytes()

    def restore(self) -> None:
        streams.close_output()
        descriptors.discard_input()
        streams.renew()
        reporting.end()
        sys.modules["__main__"] = self._main
        linecache.clearcache()
        if self._memory_kept() > WORTH_COLLECTING:  # what the code made, which is full of circles
            gc.collect()
        sys.path[:] = self._path
        if _environment() != self._environment:
            os.environ.clear()
            os.environ.update({os.fsdecode(name): os.fsdecode(value) for name, value in self._environment.items()})
        tempfile.tempdir = self._scratch
        os.chdir(self._scratch)
        self._empty_scratch()
        os.umask(self._umask)
        self._restore_signals()
        new_randomness()

    def are_clean(self) -> bool:
        """Nothing of the step goes on here."""
        try:
            return (threading.active_count() == 1 and not tree.has_children() and self._is_only_child()
                    and not limits.exhausted() and not any(cgroup.kills(file.read()) for file in self._kills)
                    and self._memory_kept() <= self._most_kept and len(os.listdir("/proc/self/fd")) == self._descriptors
                    and _resource_limits() == self._limits)
        except (OSError, ValueError, IndexError):  # it closed what is read here, or put something else in its place
            return False

    def _is_only_child(self) -> bool:
        """What its own parent left behind has become the keeper's."""
        return self._children_of_keeper.read().split() == [b"%d" % os.getpid()]

    def _memory_kept(self) -> int:
        """Bytes more than at first; as many as there can be when it cannot be said."""
        try:
            return self._data_bytes() - self._memory
        except (OSError, ValueError, IndexError):
            return sys.maxsize

    def _data_bytes(self) -> int:
        return limits.data_bytes(self._statm.read())

    def _restore_signals(self) -> None:
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        signal.set_wakeup_fd(-1)
        for number, handler in self._signals.items():
            if _signal.getsignal(number) != handler:  # signal.getsignal makes an enum of it, which takes ten times as long
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _empty_scratch(self) -> None:
        for entry in os.scandir(self._scratch):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


def _environment() -> Mapping[bytes, bytes]:
    """os.environ as it is kept: to compare it as text would take longer than a small step."""
    kept: Mapping[bytes, bytes] = vars(os.environ)["_data"]
    return kept


def _resource_limits() -> list[tuple[int, int]]:
    return [resource.getrlimit(number) for number in _LIMITS]


def default_signals() -> None:
    """Of a step process, whatever the fork server and the keeper had."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # Python's own default: a write raises BrokenPipeError


def new_randomness() -> None:
    random.seed(int.from_bytes(os.urandom(32), sys.byteorder))  # as good as by default, where the operating system is asked for 2,496
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
