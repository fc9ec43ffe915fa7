"""The keeper of a job: parent and subreaper of everything that the job starts, until all of that is gone. Then of the next job.

One thread: a poll loop over the server's socket, the step's socket and the deaths of children.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Sequence
from typing import Any

from orchestra_runtime import channel, descriptors, libc, tree
from orchestra_runtime.channel import Channel
from orchestra_runtime.child import Child
from orchestra_runtime.deaths import Deaths
from orchestra_runtime.groups import Groups
from orchestra_runtime.link import Link
from orchestra_runtime.records import limits_of
from orchestra_runtime.scratch import Scratch

LEFTOVER_GRACE = 1.0  # seconds between SIGTERM and SIGKILL for what a step leaves behind when it ends by itself
RETRY = 0.02  # seconds until the next look for what was forked while it was being killed
_RELAYED = ("progress", "member_ended")  # all that a step may tell the server
_WORK = ("step", "step_file", "host")  # what a start message has one of
DESCRIPTORS = 2  # that come with it: the socket to the server, and the step's output or the host's lane


def check_start(message: dict[str, Any], received: Sequence[int]) -> None:
    """ValueError when it is no start message."""
    work = [name for name in _WORK if name in message]
    if not isinstance(message.get("token"), str) or len(work) != 1:
        raise ValueError(f"a start message has the text 'token' and one of {', '.join(_WORK)}")
    if len(received) != DESCRIPTORS:
        raise ValueError(f"a start message comes with {DESCRIPTORS} descriptors, this one with {len(received)}")


def live(endpoint: socket.socket, roots: Sequence[str]) -> None:
    """Everything that a forked child of the fork server does, then it exits. `endpoint` brings a start message for each job; when it closes,
    the keeper is not needed any more. `roots`: where its control groups are made."""
    os.setsid()
    lane = Channel(descriptors.keep_only(endpoint))
    libc.become_subreaper()
    deaths, scratch, groups = Deaths(), Scratch(), Groups(roots)
    while True:
        groups.prepare()
        child = Child(scratch.path, groups.folders, rehearse=not _has_news(lane))
        packet, received = lane.receive_packet(descriptors=DESCRIPTORS)
        if not packet:
            child.dismiss()
            scratch.remove()
            groups.remove()
            return
        if child.has_died():
            child = Child(scratch.path, groups.folders, rehearse=False)
        keeper = Keeper(child, deaths, groups, Link(socket.socket(fileno=received[0])))
        keeper.keep(packet, received[1])
        scratch.clear()
        lane.tell({"type": "free"})  # first, so that whoever hears of the end and has another job finds this keeper
        keeper.report()
        groups.renew()
        scratch = scratch.renewed()


def _has_news(lane: Channel) -> bool:
    poller = select.poll()
    poller.register(lane, select.POLLIN)
    return bool(poller.poll(0))


class Keeper:
    def __init__(self, child: Child, deaths: Deaths, groups: Groups, link: Link) -> None:
        self._child = child
        self._deaths = deaths
        self._groups = groups
        self._link = link
        self._status: int | None = None  # of the step, as wait gives it
        self._error: str | None = None  # why the step did not run, or not to its end, by no fault of its own
        self._kill_at: float | None = None  # when SIGKILL is due, by the monotonic clock
        self._tree_has_processes = True
        self._cpu_seconds = 0.0
        self._peak_memory = 0  # bytes, of the largest process

    def keep(self, packet: bytes, passed_on: int) -> None:
        """Lets the step run by the start message; returns when no process of the job is left. The descriptor is the step's."""
        try:
            start = channel.unpack(packet)
            self._groups.limit(limits_of(start))
            self._child.release(packet, [passed_on])
            self._link.tell({"type": "started", "token": start["token"], "keeper": os.getpid(), "step": self._child.pid,
                             "cgroup": self._groups.folders})
        except (OSError, ValueError) as problem:
            self._error = f"the step could not be started: {type(problem).__name__}: {problem}"
            self._end_tree(0)
        os.close(passed_on)
        self._loop()
        while self._relay():
            pass
        self._child.close()

    def report(self) -> None:
        """The last message."""
        self._link.tell(self._exited())
        self._link.close()

    # --- the loop ---

    def _loop(self) -> None:
        self._reap()
        while self._tree_has_processes:
            for number, _ in self._poller().poll(self._patience()):
                self._serve(number)
            self._reap()
            self._kill_if_due()

    def _poller(self) -> select.poll:
        poller = select.poll()
        poller.register(self._deaths, select.POLLIN)
        if self._link.is_open:
            poller.register(self._link, self._link.interest)
        if self._child.is_connected and not self._link.is_busy:  # a server that reads slowly slows the step down
            poller.register(self._child, select.POLLIN)
        return poller

    def _patience(self) -> int | None:
        """Milliseconds until something is due."""
        if self._kill_at is None:
            return None
        return int(1000 * max(RETRY, self._kill_at - time.monotonic())) + 1

    def _serve(self, number: int) -> None:
        if number == self._link.fileno():
            self._hear()
        elif number == self._child.fileno():
            self._relay()

    def _hear(self) -> None:
        self._link.flush()
        packet = self._link.hear()
        if not self._link.is_open:
            self._end_tree(0)  # no orphan outlives the server
        elif packet is not None:
            self._obey(packet)

    def _obey(self, packet: bytes) -> None:
        try:
            message = channel.unpack(packet)
            if message["type"] == "stop":
                self._end_tree(float(message.get("grace", 0)))
            elif message["type"] == "stop_member":
                self._child.send(packet)
            else:
                raise ValueError(f"unknown type '{message['type']}'")
        except (ValueError, TypeError) as problem:
            self._error = f"the keeper could not read a message of the server: {problem}"
            self._end_tree(0)

    def _relay(self) -> bool:
        """One message of the step's to the server. False when there is none."""
        packet = self._child.receive() if self._child.is_connected else None
        if packet is None:
            return False
        if _may_pass(packet) and self._link.is_open:
            self._link.forward(packet)
        return True

    # --- ends ---

    def _reap(self) -> None:
        ended, self._tree_has_processes = self._deaths.reap()
        for each in ended:
            if each.pid == self._child.pid:
                self._status = each.status
            self._cpu_seconds += each.usage.ru_utime + each.usage.ru_stime
            self._peak_memory = max(self._peak_memory, each.usage.ru_maxrss * 1024)
        if self._status is not None and self._kill_at is None and self._tree_has_processes:
            self._end_tree(LEFTOVER_GRACE)

    def _end_tree(self, grace: float) -> None:
        """A second call may shorten the grace, never lengthen it."""
        deadline = time.monotonic() + grace
        if self._kill_at is None and grace > 0:
            tree.terminate()
        self._kill_at = deadline if self._kill_at is None else min(self._kill_at, deadline)
        self._kill_if_due()

    def _kill_if_due(self) -> None:
        if self._kill_at is not None and time.monotonic() >= self._kill_at and self._tree_has_processes:
            self._groups.kill()
            tree.kill()

    def _exited(self) -> dict[str, Any]:
        status = self._status if self._error is None else None
        message = {
            "type": "exited",
            "status": os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None,
            "cpu_seconds": self._cpu_seconds,
            "peak_memory": self._groups.peak_memory() or self._peak_memory,
            "out_of_memory": self._groups.out_of_memory(),
        }
        return message if self._error is None else message | {"error": self._error}


def _may_pass(packet: bytes) -> bool:
    try:
        return channel.unpack(packet)["type"] in _RELAYED
    except ValueError:
        return False
