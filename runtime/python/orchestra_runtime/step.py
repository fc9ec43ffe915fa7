"""The step process: waits until its keeper lets it run, runs the operation, and ends."""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence

from orchestra_runtime import cgroup, descriptors, host, kinds, limits, streams, traces, work
from orchestra_runtime.channel import Channel
from orchestra_runtime.records import limits_of, step_file

CANNOT_START, CANNOT_REPORT = 70, 71  # exit statuses of a step that left no result
_PREFERRED_BY_OOM_KILLER = b"500"


def live(endpoint: socket.socket, scratch: str, groups: Sequence[str], rehearse: bool) -> None:
    """Everything that a forked child does, then it exits. `endpoint` leads to its keeper, `groups` are the control groups to enter.
    `rehearse`: there is time before the start message."""
    status = CANNOT_START
    try:
        channel = _prepare(endpoint, scratch)
        if rehearse:
            kinds.load_rest()  # what that takes does not count as the step's
            cgroup.enter(groups)
            _rehearse(scratch)
        message, received = channel.receive(descriptors=1)
        if message is None:
            os._exit(0)  # never needed
        if "host" not in message:
            descriptors.use_output(received[0])
        if not rehearse:
            kinds.load_rest()
            cgroup.enter(groups)
        if not cgroup.limits_memory(groups):
            limits.cap_memory(limits_of(message))
        if "host" in message:
            host.serve(Channel(socket.socket(fileno=received[0])), scratch, groups, limits_of(message).memory)
        else:
            step = work.read(message)
            status = CANNOT_REPORT
            work.do(step, channel, groups)
        status = 0
    except BaseException as error:
        print(traces.headline(error), file=sys.stderr)
    _leave(status)


def _prepare(endpoint: socket.socket, scratch: str) -> Channel:
    """As a fresh program would find itself, whatever the fork server did."""
    os.setsid()
    channel = Channel(descriptors.keep_only(endpoint))
    descriptors.discard_input()
    host.default_signals()
    host.new_randomness()
    streams.renew()
    faulthandler.enable(file=2)
    with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
        file.write(_PREFERRED_BY_OOM_KILLER)
    os.chdir(scratch)
    os.environ["TMPDIR"] = tempfile.tempdir = scratch
    gc.enable()
    return channel


def _rehearse(scratch: str) -> None:
    """Runs a function that does nothing. Pages that every step writes to are copied now, not on anybody's time: this halves what
    a small step takes."""
    main, folder = sys.modules["__main__"], os.path.join(scratch, "rehearsal")
    os.mkdir(folder)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    member = {"name": "f", "operation": "function/python", "request": {"function": "response = 0"}, "staging": folder}
    with ours, theirs:
        work.do(step_file(json.loads(json.dumps({"v": 1, "token": "", "members": [member]}))), Channel(ours))
    shutil.rmtree(folder)
    sys.modules["__main__"] = main


def _leave(status: int) -> None:
    """Without the interpreter's finalisation: no waiting for threads, no freeing of what the kernel frees at once."""
    streams.flush()
    os.sched_yield()  # who passes the result on may wait for this very processor, and giving back memory takes a millisecond
    os._exit(status)
