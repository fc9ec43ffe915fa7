"""The fork server: loads the libraries of its kind once, then forks keepers, which fork a step per job.

One thread. Keepers that have no job wait for one, each with its next step forked already; one of them is forked ahead of need.
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
from collections import deque
from collections.abc import Sequence
from typing import Any

from orchestra_runtime import channel, keeper, kinds, libc, limits, scratch, tree
from orchestra_runtime.channel import Channel
from orchestra_runtime.deaths import Deaths

CONTROL = 3  # the descriptor that leads to the server
REFILL_AFTER = 4  # milliseconds without a message until a spare is forked: the job that took the last one has the processor first
MOST_IDLE = (os.cpu_count() or 1) + 1  # keepers that wait, while jobs come again and again: as many as run at once, and a spare
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
    most = options.spares if kinds.is_heavy(options.kind) else max(options.spares, MOST_IDLE)
    return ForkServer(control, options.spares, most, options.surplus, options.group).serve()


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Forks a process per step; started by the server.", allow_abbrev=False)
    parser.add_argument("--kind", choices=kinds.KINDS, required=True)
    parser.add_argument("--spares", type=int, default=1, help="keepers that always wait for a job (default: %(default)s)")
    parser.add_argument("--surplus", type=float, default=5.0, help="seconds without a job until those beyond them go (default: %(default)s)")
    parser.add_argument("--group", action="append", default=[], metavar="FOLDER", help="a folder in which control groups are made; one for each hierarchy")
    return parser.parse_args(arguments)


class ForkServer:
    def __init__(self, control: Channel, spares: int, most: int, surplus: float, groups: Sequence[str]) -> None:
        """`most` keepers wait while jobs come; after `surplus` seconds without one, `spares`. `groups`: where they make control groups."""
        self._groups = groups
        self._control = control
        self._wanted = spares
        self._most = most
        self._surplus = surplus
        self._idle: deque[Channel] = deque()  # lanes to keepers; who has waited longest comes first
        self._busy: dict[int, Channel] = {}  # by descriptor
        self._keepers: set[int] = set()
        self._deaths = Deaths()
        self._poller = select.poll()
        self._poller.register(self._control, select.POLLIN)
        self._poller.register(self._deaths, select.POLLIN)
        libc.become_subreaper()  # of what a killed keeper leaves

    def serve(self) -> int:
        """Until the server closes the control socket; gives the exit status. Keepers at work live on."""
        while True:
            ready = [number for number, _ in self._poller.poll(self._patience())]
            for number in ready:
                if number in self._busy:
                    self._hear_of(self._busy[number])
            if self._control.fileno() in ready:
                packet, received = self._control.receive_packet(descriptors=keeper.DESCRIPTORS)
                if not packet:
                    return 0
                message = channel.unpack(packet)
                if message["type"] != "start":
                    print(f"fork server: message of unknown type '{message['type']}'", file=sys.stderr, flush=True)
                    return BAD_MESSAGE
                self._start(message, packet, received)
            elif self._deaths.fileno() in ready:
                self._bury()
            elif not ready:
                self._adjust()

    def _patience(self) -> float | None:
        """Milliseconds until there are more, or fewer, keepers that wait."""
        if len(self._idle) < self._wanted:
            return REFILL_AFTER
        return 1000 * self._surplus if len(self._idle) > self._wanted else None

    def _adjust(self) -> None:
        if len(self._idle) < self._wanted:
            self._add_spare()
        else:
            while len(self._idle) > self._wanted:
                self._idle.pop().close()

    def _hear_of(self, lane: Channel) -> None:
        """A keeper is free for the next job, or dead."""
        message, _ = lane.receive()
        del self._busy[lane.fileno()]
        self._poller.unregister(lane)
        if message is not None and len(self._idle) < self._most:
            self._idle.append(lane)
        else:
            lane.close()

    def _start(self, message: dict[str, Any], packet: bytes, received: list[int]) -> None:
        try:
            keeper.check_start(message, received)
            self._hand_over(packet, received)
        except (OSError, ValueError, kinds.TooManyThreads) as error:
            self._control.tell({"type": "refused", "token": message.get("token"), "why": f"{type(error).__name__}: {error}"})
        finally:
            for each in received:
                os.close(each)

    def _hand_over(self, packet: bytes, received: list[int]) -> None:
        while self._idle:
            try:
                return self._give(self._idle.popleft(), packet, received)
            except OSError:
                pass  # it died while it waited
        self._give(self._fork(), packet, received)

    def _give(self, lane: Channel, packet: bytes, received: Sequence[int]) -> None:
        """OSError when the keeper is dead."""
        try:
            lane.forward(packet, received)
        except OSError:
            lane.close()
            raise
        self._busy[lane.fileno()] = lane
        self._poller.register(lane, select.POLLIN)

    def _add_spare(self) -> None:
        try:
            self._idle.append(self._fork())
        except (OSError, kinds.TooManyThreads) as error:
            print(f"fork server: no spare keeper: {error}", file=sys.stderr, flush=True)
            self._wanted = 0  # whoever starts a job hears why it cannot be forked

    def _fork(self) -> Channel:
        kinds.check_threads()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            _be_keeper(theirs, self._groups)
        theirs.close()
        self._keepers.add(pid)
        return Channel(ours)

    def _bury(self) -> None:
        """A keeper that was killed leaves orphans, which become children of this process."""
        ended, _ = self._deaths.reap()
        self._keepers -= {each.pid for each in ended}
        for orphan in set(tree.children(os.getpid())) - self._keepers:
            tree.kill(orphan)


def _be_keeper(lane: socket.socket, groups: Sequence[str]) -> None:
    status = 1
    try:
        keeper.live(lane, groups)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
