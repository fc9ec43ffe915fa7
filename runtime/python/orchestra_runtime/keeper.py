"""The keeper of one job: parent and subreaper of everything that the job starts. It lives until all of that is gone.

One thread: a poll loop over the server's socket, the step's socket and the deaths of children.
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import time
from collections.abc import Sequence
from typing import Any

from orchestra_runtime import cgroup, channel, descriptors, libc, tree
from orchestra_runtime.channel import Channel
from orchestra_runtime.child import Child
from orchestra_runtime.deaths import Deaths
from orchestra_runtime.link import Link
from orchestra_runtime.scratch import Scratch

LEFTOVER_GRACE = 1.0  # seconds between SIGTERM and SIGKILL for what a step leaves behind when it ends by itself
RETRY = 0.02  # seconds until the next look for what was forked while it was being killed
_RELAYED = ("progress", "member_ended")  # all that a step may tell the server


def live(lane: socket.socket, spare: bool) -> None:
    """Everything that a forked child of the fork server does, then it exits. `lane` brings the start message; when it closes
    without one, the keeper was not needed. `spare`: no job waits for it yet."""
    os.setsid()
    lane = descriptors.keep_only(lane)
    libc.become_subreaper()
    deaths, scratch = Deaths(), Scratch()
    child = Child(scratch.path, rehearse=spare)
    message, received = Channel(lane).receive(descriptors=2)
    lane.close()
    if message is None:
        child.dismiss()
        scratch.remove()
        return
    if child.has_died():
        child = Child(scratch.path, rehearse=False)
    keeper = Keeper(child, deaths, Link(socket.socket(fileno=received[0])))
    keeper.keep(message["token"], message["step_file"], received[1])
    scratch.remove()
    keeper.report()


class Keeper:
    def __init__(self, child: Child, deaths: Deaths, link: Link) -> None:
        self._child = child
        self._deaths = deaths
        self._link = link
        self._cgroup: Sequence[str] = ()
        self._status: int | None = None  # of the step, as wait gives it
        self._error: str | None = None  # why the step did not run, or not to its end, by no fault of its own
        self._kill_at: float | None = None  # when SIGKILL is due, by the monotonic clock
        self._tree_has_processes = True

    def keep(self, token: str, step_file: str, output: int) -> None:
        """Lets the step run; returns when no process of the job is left."""
        try:
            self._cgroup = _groups(step_file)
            self._child.release(step_file, output)
            self._link.tell({"type": "started", "token": token, "keeper": os.getpid(), "step": self._child.pid})
        except (OSError, ValueError) as problem:
            self._error = f"the step could not be started: {type(problem).__name__}: {problem}"
            self._end_tree(0)
        os.close(output)
        self._loop()
        while self._relay():
            pass

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
        self._status = dict(ended).get(self._child.pid, self._status)
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
            cgroup.kill(self._cgroup)
            tree.kill()

    def _exited(self) -> dict[str, Any]:
        status = self._status if self._error is None else None
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        message = {
            "type": "exited",
            "status": os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "peak_memory": cgroup.peak_memory(self._cgroup) or used.ru_maxrss * 1024,
            "out_of_memory": cgroup.out_of_memory_kills(self._cgroup) > 0,
        }
        return message if self._error is None else message | {"error": self._error}


def _groups(step_file: str) -> list[str]:
    with open(step_file, encoding="utf-8") as file:
        return list(json.load(file).get("cgroup") or ())


def _may_pass(packet: bytes) -> bool:
    try:
        return channel.unpack(packet)["type"] in _RELAYED
    except ValueError:
        return False
