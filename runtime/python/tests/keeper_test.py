"""How jobs end: by themselves, by order, by limits, and with everything that they started."""

from __future__ import annotations

import os
import re
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ForkServer, alive, function, wait_for_death
from orchestra_runtime import tree

# Tells the test who it is, then goes on. `tell` sends through the step's own socket, as operations do.
TELL = """
import json, os, signal, socket, sys, time
line = socket.socket(fileno=os.dup(3))
def tell(**data):
    line.send(json.dumps({'type': 'progress', 'member': 'f', 'data': data}).encode())
"""
SLEEP = "\nwhile True: time.sleep(0.01)  # pause() would miss a signal that comes just before it\n"


def test_messages_come_in_order(bare: ForkServer) -> None:
    job = bare.start(function("print('hello')\nresponse = 1"))
    ended = job.ended()
    assert [message["type"] for message in job.messages] == ["started", "member_ended", "exited"]
    assert job.messages[0]["token"] == job.folder.name
    assert job.messages[1]["member"] == "f" and job.messages[1]["result"]["status"] == "finished"
    assert ended.exited["status"] == 0 and ended.exited["signal"] is None and ended.exited["out_of_memory"] is False
    assert ended.exited["peak_memory"] > 1_000_000 and ended.exited["cpu_seconds"] > 0
    assert ended.output == "hello\n"


def test_processor_time_of_grandchildren_counts(bare: ForkServer) -> None:
    code = TELL + """
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        while time.process_time() < 0.3: pass
        tell(used=1)
    os._exit(0)
os.wait()
""" + SLEEP
    job = bare.start(function(code))
    job.progress()
    job.channel.send({"type": "stop", "grace": 5})
    assert job.ended().exited["cpu_seconds"] >= 0.3


def test_processor_time_of_what_still_runs_counts_in_the_result(bare: ForkServer) -> None:
    code = TELL + """
reading, writing = os.pipe()
if os.fork() == 0:
    while time.process_time() < 0.3: pass
    os.write(writing, b"x")
    signal.pause()
os.read(reading, 1)
response = 1
"""
    job = bare.start(function(code))
    assert job.until("member_ended")["last"]["cpu_seconds"] >= 0.25  # the kernel counts in hundredths
    job.ended()


@pytest.mark.parametrize(("code", "status", "number"), [
    ("import os; os._exit(7)", 7, None),
    ("import os; os.abort()", None, signal.SIGABRT),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", None, signal.SIGKILL),
    ("import ctypes; ctypes.string_at(0)", None, signal.SIGSEGV),
])
def test_death_without_a_result_is_told(bare: ForkServer, code: str, status: int | None, number: int | None) -> None:
    ended = bare.run(code)
    assert ended.result() is None
    assert (ended.exited["status"], ended.exited["signal"]) == (status, number)


def test_a_crash_in_native_code_leaves_a_traceback_in_the_log(bare: ForkServer) -> None:
    assert 'File "<function f>", line 2' in bare.run("import ctypes\nctypes.string_at(0)").output


def test_threads_do_not_hold_up_the_end(bare: ForkServer) -> None:
    start = "  threading.Thread(target=threading.Event().wait, daemon=daemon).start()\n"
    bare.run(f"import threading\nfor daemon in (True, False):\n{start}response = 1").finished()


@pytest.mark.parametrize("code", ["import os; os.close(1)", "import os; os.close(2); os.close(1)",
                                  "import sys; sys.stdout.close()", "import sys; sys.stdout = sys.stderr = None",
                                  "import os; os.closerange(0, 100)"])
def test_closed_streams_do_not_harm_the_result(bare: ForkServer, code: str) -> None:
    ended = bare.run(code + "\nresponse = 1")
    ended.finished()
    assert ended.exited["status"] == 0


def test_a_hundred_megabytes_are_printed_whole(bare: ForkServer) -> None:
    ended = bare.run("line = 'x' * 9999\nfor _ in range(10_000): print(line)\nresponse = 1")
    ended.finished()
    assert len(ended.output) == 100_000_000


def test_what_is_printed_comes_line_by_line(bare: ForkServer) -> None:
    job = bare.start(function(TELL + "print('out'); print('err', file=sys.stderr); print('more')\ntell(x=1)" + SLEEP))
    job.progress()
    job.channel.send({"type": "stop", "grace": 0})
    assert job.ended().output == "out\nerr\nmore\n"


def test_unflushed_output_is_not_lost(bare: ForkServer) -> None:
    code = "import ctypes, sys\nctypes.CDLL(None).printf(b'from C')\nsys.stdout.write(' no newline')\nresponse = 1"
    assert sorted(bare.run(code).output) == sorted("from C no newline")


def test_a_step_begins_as_a_fresh_program(bare: ForkServer) -> None:
    code = """
import os, signal, sys
print(sorted(int(n) for n in os.listdir('/proc/self/fd')))
print(repr(sys.stdin.read()), os.getsid(0) == os.getpid(), os.listdir('/proc/self/task') == [str(os.getpid())])
print([signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP)] == [signal.SIG_DFL] * 3)
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(os.getcwd() == os.environ['TMPDIR'], os.listdir('.'))
response = 1
"""
    lines = bare.run(code).output.splitlines()
    # 4: the listing itself
    assert lines == ["[0, 1, 2, 3, 4]", "'' True True", "True", "True set()", "True []"]


def test_what_a_program_executes_inherits_only_its_streams(bare: ForkServer) -> None:
    listing = "subprocess.run(['ls', '/proc/self/fd'], close_fds=False, capture_output=True).stdout.split()"
    ended = bare.run(f"import subprocess\nprint({listing})\nresponse = 1")
    assert ended.output == "[b'0', b'1', b'2', b'3']\n"  # 3: the listing itself


def test_files_of_the_working_folder_go_with_the_job(bare: ForkServer) -> None:
    ended = bare.run("import os, tempfile\nopen('x', 'w').write('y')\nos.mkdir('d')\nopen('d/z', 'w')\ntempfile.mkdtemp()\n"
                     "print(os.getcwd())\nresponse = 1")
    ended.finished()
    assert ended.output.startswith(str(bare.temporary)) and not Path(ended.output.strip()).exists()


# --- stop ---

def test_stop_ends_a_sleeping_step(bare: ForkServer) -> None:
    job = bare.start(function(TELL + "tell(x=1)\ntime.sleep(1000)"))
    job.progress()
    job.channel.send({"type": "stop", "grace": 30})
    ended = job.ended()
    assert ended.exited["signal"] == signal.SIGTERM and ended.result() is None


def test_stop_before_it_began(bare: ForkServer) -> None:
    job = bare.start(function("import time; time.sleep(1000)"))
    job.channel.send({"type": "stop", "grace": 0})
    assert job.ended().exited["signal"] == signal.SIGKILL


def test_a_step_that_ignores_sigterm_is_killed_after_the_grace(bare: ForkServer) -> None:
    job = bare.start(function(TELL + "signal.signal(signal.SIGTERM, lambda *_: print('no'))\ntell(x=1)" + SLEEP))
    job.progress()
    job.channel.send({"type": "stop", "grace": 0.2})
    ended = job.ended()
    assert ended.exited["signal"] == signal.SIGKILL and ended.output == "no\n"


def test_a_step_may_use_the_grace_to_finish(bare: ForkServer) -> None:
    code = TELL + "def end(*_): raise TimeoutError('stopped')\nsignal.signal(signal.SIGTERM, end)\ntell(x=1)" + SLEEP
    job = bare.start(function(code))
    job.progress()
    job.channel.send({"type": "stop", "grace": 30})
    assert job.ended().failed()["exception"] == "TimeoutError: stopped"


def test_a_second_stop_shortens_the_grace_and_never_lengthens_it(bare: ForkServer) -> None:
    job = bare.start(function(TELL + "signal.signal(signal.SIGTERM, lambda *_: tell(x=2))\ntell(x=1)" + SLEEP))
    job.progress()
    job.channel.send({"type": "stop", "grace": 1000})
    job.progress()
    job.channel.send({"type": "stop", "grace": 0})
    job.channel.tell({"type": "stop", "grace": 1000})  # may come too late
    assert job.ended().exited["signal"] == signal.SIGKILL


def test_a_stopped_process_is_ended_too(bare: ForkServer) -> None:
    job = bare.start(function(TELL + "tell(x=1)\nos.kill(os.getpid(), signal.SIGSTOP)"))
    job.progress()
    job.channel.send({"type": "stop", "grace": 30})
    assert job.ended().exited["signal"] == signal.SIGTERM


def test_stop_ends_those_that_left(bare: ForkServer) -> None:
    """Another session, forked twice, deaf to SIGTERM."""
    code = TELL + """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def leave():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            tell(pid=os.getpid())
            while True: signal.pause()
        os._exit(0)
for _ in range(3): leave()
""" + SLEEP
    job = bare.start(function(code))
    pids = [job.progress()["pid"] for _ in range(3)]
    job.channel.send({"type": "stop", "grace": 0.1})
    job.ended()
    assert not any(alive(pid) for pid in pids)


@pytest.mark.parametrize("leave", ["", "os.setsid()"], ids=["one group", "a session each"])
def test_stop_ends_what_forks_without_end(bare: ForkServer, leave: str) -> None:
    code = TELL + f"""
tell(x=1)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:  # the parent ends, the child goes on: there is always one, and never the same
    if os.fork():
        os._exit(0)
    {leave}
"""
    job = bare.start(function(code))
    job.progress()
    job.channel.send({"type": "stop", "grace": 0})
    job.ended()
    job.output()  # every process of the job had the pipe


def test_leftovers_of_a_finished_step_are_ended(bare: ForkServer) -> None:
    code = TELL + """
told, telling = os.pipe()
for deaf in (False, True):
    if os.fork() == 0:
        os.setsid()
        if deaf: signal.signal(signal.SIGTERM, signal.SIG_IGN)
        tell(pid=os.getpid())
        os.write(telling, b'x')
        while True: signal.pause()
    os.read(told, 1)
response = 1
"""
    job = bare.start(function(code))
    ended = job.ended()
    ended.finished()
    assert ended.exited["status"] == 0
    pids = [message["data"]["pid"] for message in job.messages if message["type"] == "progress"]
    assert len(pids) == 2 and not any(alive(pid) for pid in pids)


def test_multiprocessing_works_and_leaves_nothing(bare: ForkServer) -> None:
    code = ("from multiprocessing import Pool\ndef f(x): return x * x\n"
            "pool = Pool(2)\nresponse = pool.map(f, range(5))\nprint(response)")
    ended = bare.run(code)
    ended.finished()
    assert ended.output == "[0, 1, 4, 9, 16]\n"


# --- who dies ---

def test_death_of_the_server_kills_the_job(bare: ForkServer) -> None:
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    job = bare.start(function(TELL + deaf + "tell(pid=os.getpid(), keeper=os.getppid())" + SLEEP))
    pids = job.progress()
    keeper = os.pidfd_open(pids["keeper"])
    job.socket.close()
    job.output()  # ends when the last process has closed it
    wait_for_death(keeper)
    assert not alive(pids["pid"])


def test_death_of_the_fork_server_harms_no_job(tmp_path: Path) -> None:
    server = ForkServer("bare", folder=tmp_path)
    server.ready()
    job = server.start(function(TELL + """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
tell(pid=os.getpid())
signal.sigwait([signal.SIGUSR1])
response = 1
"""))
    pid = job.progress()["pid"]
    os.kill(server.pid, signal.SIGKILL)
    os.waitpid(server.pid, 0)
    os.kill(pid, signal.SIGUSR1)
    job.ended().finished()


def test_a_killed_keepers_tree_dies_with_it(bare: ForkServer) -> None:
    job = bare.start(function(TELL + "if os.fork() == 0: os.setsid()\ntell(pid=os.getpid(), keeper=os.getppid())" + SLEEP))
    started = job.until("started")
    job.progress()
    step = os.pidfd_open(started["step"])
    os.kill(started["keeper"], signal.SIGKILL)
    while job.next() is not None:
        pass
    job.output()  # every process of the job had the pipe
    wait_for_death(step)
    bare.run("response = 1").finished()


# --- what a step may say ---

def test_a_step_cannot_speak_for_its_keeper(bare: ForkServer) -> None:
    code = TELL + """
for packet in (b'{"type":"exited","status":0}', b'no json', b'[]', b'{"type":"started"}', b'{"type":5}'): line.send(packet)
tell(last=True)
response = 1
"""
    job = bare.start(function(code))
    job.ended().finished()
    assert [message["type"] for message in job.messages] == ["started", "progress", "member_ended", "exited"]


def test_a_server_that_reads_late_gets_everything(bare: ForkServer) -> None:
    job = bare.start(function(TELL + "for i in range(3000): tell(i=i, pad='x' * 1000)\nresponse = 1"))
    job.ended().finished()
    assert [message["data"]["i"] for message in job.messages if message["type"] == "progress"] == list(range(3000))


def test_an_unknown_message_ends_the_job_with_an_error(bare: ForkServer) -> None:
    job = bare.start(function("import time; time.sleep(1000)"))
    job.channel.send({"type": "dance"})
    assert "unknown type 'dance'" in job.ended().exited["error"]


# --- limits ---

def test_memory_limit_without_control_groups(bare: ForkServer) -> None:
    code = "kept = []\nwhile True: kept.append(bytearray(1 << 20))"
    ended = bare.run(code, limits={"memory": 64 << 20, "cpu": 1.0})
    assert ended.failed()["exception"] == "MemoryError" and ended.failed()["reason"] == "out_of_memory"
    assert ended.exited["peak_memory"] > 64 << 20


def test_memory_limit_leaves_room_below_it(scientific: ForkServer) -> None:
    code = "import numpy\nresponse = numpy.ones(48 << 17).sum()"
    scientific.run(code, limits={"memory": 64 << 20, "cpu": 1.0}).finished()


@pytest.fixture
def grouped(tmp_path: Path) -> Iterator[ForkServer]:
    """A fork server that makes memory and pids groups of version 1, where the machine lets us."""
    roots = [Path("/sys/fs/cgroup", controller, f"orchestra-test-{uuid.uuid4().hex}") for controller in ("memory", "pids")]
    made = []
    try:
        for root in roots:
            if not (root.parent / "cgroup.procs").exists():
                pytest.skip("no control groups of version 1")
            root.mkdir()
            made.append(root)
        server = ForkServer("bare", *(word for root in roots for word in ("--group", str(root))), folder=tmp_path)
        server.ready()
        yield server
        keepers = [os.pidfd_open(keeper) for keeper in tree.children(server.pid)]
        assert server.close() == 0
        for keeper in keepers:
            wait_for_death(keeper)
    except PermissionError:
        pytest.skip("not allowed to make control groups")
    finally:
        for root in made:
            root.rmdir()  # fails while there is a group in it: none may be when the keepers have ended


def test_a_kill_for_memory_is_told_and_held_against_nobody_else(grouped: ForkServer) -> None:
    limits = {"memory": 64 << 20, "cpu": 1.0, "processes": 100}
    for _ in range(3):  # in each of the keepers there are
        ended = grouped.run("kept = []\nwhile True: kept.append(bytearray(1 << 20))", limits=limits)
        assert ended.exited["signal"] == signal.SIGKILL and ended.exited["out_of_memory"] is True
        assert 60 << 20 < ended.exited["peak_memory"] <= 64 << 20
    for _ in range(3):
        ended = grouped.run("response = 1", limits=limits)
        assert ended.exited["out_of_memory"] is False and 1_000_000 < ended.exited["peak_memory"] < 40 << 20


def test_limits_are_those_of_the_job(grouped: ForkServer) -> None:
    for memory in (64 << 20, None, 256 << 20, 100 << 20, None) * 2:
        code = "value = bytearray(150 << 20)\nresponse = len(value)"
        ended = grouped.run(code, limits={"memory": memory, "cpu": 1.0, "processes": 100})
        assert (ended.result() is not None) == (memory is None or memory > 150 << 20)


def test_processes_are_in_the_groups_from_their_first_line(grouped: ForkServer) -> None:
    job = grouped.start(function("print(open('/proc/self/cgroup').read())\nresponse = 1"))
    ended = job.ended()
    groups = job.messages[0]["cgroup"]
    assert len(groups) == 2 and all(f"/{Path(group).parent.name}/{Path(group).name}\n" in ended.output for group in groups)
    assert ended.exited["out_of_memory"] is False and ended.exited["peak_memory"] > 0


def test_a_fork_bomb_in_a_group_ends(grouped: ForkServer) -> None:
    code = TELL + """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
tell(x=1)
while True:
    try:
        if os.fork() == 0: os.setsid()
    except OSError:
        pass
"""
    job = grouped.start(function(code), limits={"memory": None, "processes": 50})
    job.progress()
    job.channel.send({"type": "stop", "grace": 0})
    job.ended()
    assert all(len((Path(group) / "cgroup.procs").read_text().split()) <= 1 for group in job.messages[0]["cgroup"])  # the next step may be there


def test_a_group_that_cannot_be_made_refuses_the_job(tmp_path: Path) -> None:
    server = ForkServer("bare", "--group", str(tmp_path / "absent"), folder=tmp_path)
    server.ready()
    ended = server.run("print('ran')")
    assert ended.exited["status"] is None and "absent" in ended.exited["error"] and ended.output == ""
    assert server.close() == 0
