"""The step process: waits until its keeper lets it run, runs the operation, and ends."""

from __future__ import annotations

import faulthandler
import gc
import io
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from typing import Any, TextIO

from orchestra_runtime import cgroup, descriptors, kinds, libc, limits, operations, traces
from orchestra_runtime.channel import Channel
from orchestra_runtime.job import Job
from orchestra_runtime.records import StepFile, step_file

CANNOT_START, CANNOT_REPORT = 70, 71  # exit statuses of a step that left no result
_PREFERRED_BY_OOM_KILLER = b"500"


def live(endpoint: socket.socket, scratch: str, rehearse: bool) -> None:
    """Everything that a forked child does, then it exits. `endpoint` leads to its keeper. `rehearse`: there is time before the
    start message."""
    status = CANNOT_START
    try:
        channel = _prepare(endpoint, scratch)
        if rehearse:
            kinds.load_rest()
            _rehearse(scratch)
        message, output = channel.receive(descriptors=1)
        if message is None:
            os._exit(0)  # never needed
        descriptors.use_output(output[0])
        kinds.load_rest()
        work = _read(message)
        cgroup.enter(work.cgroup)
        status = CANNOT_REPORT
        status = _work(work, channel)
    except BaseException as error:
        print(traces.headline(error), file=sys.stderr)
    _leave(status)


def _prepare(endpoint: socket.socket, scratch: str) -> Channel:
    """As a fresh program would find itself, whatever the fork server did."""
    os.setsid()
    channel = Channel(descriptors.keep_only(endpoint))
    descriptors.discard_input()
    _default_signals()
    _new_randomness()
    sys.stdin, sys.stdout, sys.stderr = open(0, encoding="utf-8", closefd=False), _line_buffered(1), _line_buffered(2)
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, f"__{name}__", getattr(sys, name))
    faulthandler.enable(file=2)
    with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
        file.write(_PREFERRED_BY_OOM_KILLER)
    os.chdir(scratch)
    os.environ["TMPDIR"] = tempfile.tempdir = scratch
    gc.enable()
    return channel


def _line_buffered(number: int) -> TextIO:
    return open(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _rehearse(scratch: str) -> None:
    """Runs a function that does nothing. Pages that every step writes to are copied now, not on anybody's time: this halves what
    a small step takes."""
    main, folder = sys.modules["__main__"], os.path.join(scratch, "rehearsal")
    os.mkdir(folder)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    member = {"name": "f", "operation": "function/python", "request": {"function": "response = 0"}, "staging": folder}
    with ours, theirs:
        _work(step_file(json.loads(json.dumps({"v": 1, "token": "", "members": [member]}))), Channel(ours))
    shutil.rmtree(folder)
    sys.modules["__main__"] = main


def _default_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # Python's own default: a write raises BrokenPipeError


def _new_randomness() -> None:
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def _read(message: dict[str, Any]) -> StepFile:
    with open(message["step_file"], encoding="utf-8") as file:
        return step_file(json.load(file))


def _work(step: StepFile, channel: Channel) -> int:
    """Gives the exit status."""
    sys.argv = [step.members[0].name if step.members else ""]
    limits.use_cores(step.limits.cpu)
    limits.use_gpus(step.gpus)
    if not cgroup.limits_memory(step.cgroup):
        limits.cap_memory(step.limits)
    job = Job(step, channel)
    try:
        for name in {member.operation for member in step.members}:
            operations.operation(name)(job)
        _fail_rest(job, RuntimeError("the operation ended without a result"))
    except BaseException as error:  # also SystemExit and KeyboardInterrupt: a step ends by the last line of its code
        if traces.is_memory(error):
            limits.open_reserve()
        _fail_rest(job, error)
    return 0


def _fail_rest(job: Job, error: BaseException) -> None:
    for member in job.open_members:
        job.fail(member.name, error)


def _leave(status: int) -> None:
    """Without the interpreter's finalisation: no waiting for threads, no freeing of what the kernel frees at once."""
    named = vars(sys.modules["__main__"]).values()
    for stream in [each for each in named if isinstance(each, io.IOBase)] + [sys.stdout, sys.stderr]:
        try:
            stream.flush()
        except Exception:  # closed, or its reader is gone
            pass
    libc.flush_stdio()
    os._exit(status)
