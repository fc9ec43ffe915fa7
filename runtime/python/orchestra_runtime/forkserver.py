"""The fork server: loads the libraries of its kind once, then forks a keeper, which forks a step, per job.

One thread. One keeper, with its step, is forked ahead of need, so that a job finds both waiting.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

from orchestra_runtime import keeper, kinds, libc, limits, scratch, tree
from orchestra_runtime.channel import Channel
from orchestra_runtime.deaths import Deaths

CONTROL = 3  # the descriptor that leads to the server
REFILL_AFTER = 4  # milliseconds without a message until a spare is forked: the job that took the last one has the processor first
CANNOT_LOAD, BAD_MESSAGE = 3, 4  # exit statuses


def main(arguments: Sequence[str], began: float) -> int:
    """`began`: when the process did, by the monotonic clock. Gives the exit status."""
    options = _options(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from a terminal, it is meant for the server
    control = Channel(socket.socket(fileno=CONTROL))
    os.set_inheritable(CONTROL, False)
    try:
        limits.single_threaded()
        kinds.load(options.kind)
        threads = kinds.check_threads()
    except (ImportError, kinds.TooManyThreads) as error:
        print(f"fork server '{options.kind}' cannot serve: {error}", file=sys.stderr, flush=True)
        return CANNOT_LOAD
    scratch.sweep()
    control.tell({"v": 1, "type": "ready", "pid": os.getpid(), "kind": options.kind, "threads": threads,
                  "load_seconds": round(time.monotonic() - began, 4)})
    return ForkServer(control, options.spares).serve()


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Forks a process per step; started by the server.", allow_abbrev=False)
    parser.add_argument("--kind", choices=kinds.KINDS, required=True)
    parser.add_argument("--spares", type=int, default=1, help="keepers forked ahead of need (default: %(default)s)")
    return parser.parse_args(arguments)


class ForkServer:
    def __init__(self, control: Channel, spares: int) -> None:
        self._control = control
        self._wanted = spares
        self._spares: list[Spare] = []
        self._keepers: set[int] = set()
        self._deaths = Deaths()
        libc.become_subreaper()  # of what a killed keeper leaves

    def serve(self) -> int:
        """Until the server closes the control socket; gives the exit status. Keepers at work live on."""
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        poller.register(self._deaths, select.POLLIN)
        while True:
            lacking = len(self._spares) < self._wanted
            ready = [number for number, _ in poller.poll(REFILL_AFTER if lacking else None)]
            if self._control.fileno() in ready:
                message, received = self._control.receive(descriptors=2)
                if message is None:
                    return 0
                if message["type"] != "start":
                    print(f"fork server: message of unknown type '{message['type']}'", file=sys.stderr, flush=True)
                    return BAD_MESSAGE
                self._start(message, received)
            elif ready:
                self._bury()
            elif lacking:
                self._add_spare()

    def _start(self, message: dict[str, Any], received: list[int]) -> None:
        try:
            self._hand_over(message, received)
        except (OSError, ValueError, kinds.TooManyThreads) as error:
            self._control.tell({"type": "refused", "token": message.get("token"), "why": f"{type(error).__name__}: {error}"})
        finally:
            for each in received:
                os.close(each)

    def _hand_over(self, message: dict[str, Any], received: list[int]) -> None:
        if len(received) != 2:
            raise ValueError(f"a start message comes with 2 descriptors, this one with {len(received)}")
        if not isinstance(message.get("token"), str) or not isinstance(message.get("step_file"), str):
            raise ValueError("a start message has the texts 'token' and 'step_file'")
        while self._spares:
            spare = self._spares.pop()
            try:
                return spare.start(message, received)
            except OSError:
                pass  # it died while it waited
        self._fork(spare=False).start(message, received)

    def _add_spare(self) -> None:
        try:
            self._spares.append(self._fork(spare=True))
        except (OSError, kinds.TooManyThreads) as error:
            print(f"fork server: no spare keeper: {error}", file=sys.stderr, flush=True)
            self._wanted = 0  # whoever starts a job hears why it cannot be forked

    def _fork(self, spare: bool) -> Spare:
        kinds.check_threads()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            _be_keeper(theirs, spare)
        theirs.close()
        self._keepers.add(pid)
        return Spare(Channel(ours))

    def _bury(self) -> None:
        """A keeper that was killed leaves orphans, which become children of this process."""
        ended, _ = self._deaths.reap()
        self._keepers -= {pid for pid, _ in ended}
        for orphan in set(tree.children(os.getpid())) - self._keepers:
            tree.kill(orphan)


class Spare:
    """A keeper that waits for a job."""

    def __init__(self, lane: Channel) -> None:
        self._lane = lane

    def start(self, message: dict[str, Any], received: Sequence[int]) -> None:
        """OSError when it is dead."""
        try:
            self._lane.send({"type": "start", "token": message["token"], "step_file": message["step_file"]}, received)
        finally:
            self._lane.close()


def _be_keeper(lane: socket.socket, spare: bool) -> None:
    status = 1
    try:
        keeper.live(lane, spare)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
