"""A process that does one step after the other: what the next one finds, and when there is none."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENCE, ForkServer, wait_for_death
from orchestra_runtime import host
from orchestra_runtime.channel import Channel


class Host:
    """As the server has it: the keeper's socket, and the lane on which steps go and results come."""

    def __init__(self, server: ForkServer, folder: Path, memory: int | None = None) -> None:
        self._folder = folder
        self._steps = 0
        self.keeper, keepers = _socketpair()
        self.lane, hosts = _socketpair()
        message = {"v": 1, "type": "start", "token": "host", "host": True, "limits": {"memory": memory}}
        server.control.send(message, [keepers.fileno(), hosts.fileno()])
        keepers.close()
        hosts.close()
        started, _ = self.keeper.receive()
        assert started is not None and started["type"] == "started"
        self.pid = started["step"]

    def begin(self, code: str, parameters: dict[str, Any] | None = None) -> Step:
        self._steps += 1
        staging = self._folder / str(self._steps)
        staging.mkdir()
        request = {"name": "f", "function": code, "functionParameters": parameters or {}}
        member = {"name": "f", "operation": "function/python", "request": request, "staging": str(staging)}
        reading, writing = os.pipe()
        token = f"t{self._steps}"
        self.lane.send({"type": "run", "token": token, "step": {"v": 1, "token": token, "members": [member]}}, [writing])
        os.close(writing)
        return Step(self, reading)

    def run(self, code: str, parameters: dict[str, Any] | None = None) -> Step:
        return self.begin(code, parameters).end()

    def exited(self) -> dict[str, Any]:
        while (message := self.keeper.receive()[0]) is not None and message["type"] != "exited":
            pass
        assert message is not None
        return message

    def close(self) -> None:
        self.lane.close()
        self.exited()
        self.keeper.close()


class Step:
    def __init__(self, of: Host, output: int) -> None:
        self._host = of
        self._printed = bytearray()
        self._reader = threading.Thread(target=self._read, args=(output,))
        self._reader.start()
        self.result: dict[str, Any] = {}
        self.usage: dict[str, Any] = {}
        self.ended: dict[str, Any] = {}

    def _read(self, pipe: int) -> None:
        with open(pipe, "rb", buffering=0) as file:
            while some := file.read(1 << 16):
                self._printed += some

    def end(self) -> Step:
        while (message := self._host.lane.receive()[0]) is not None:
            if message["type"] == "member_ended":
                self.result, self.usage = message["result"], message["last"]
            if message["type"] == "ended":
                self.ended = message
                break
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive()
        return self

    @property
    def output(self) -> str:
        return self._printed.decode()

    @property
    def reusable(self) -> bool:
        assert self.result["status"] == "finished", self.result
        return bool(self.ended["reusable"])


def _socketpair() -> tuple[Channel, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(PATIENCE)
    return Channel(ours), theirs


@pytest.fixture
def shared(bare: ForkServer, tmp_path: Path) -> Iterator[Host]:
    host = Host(bare, tmp_path)
    yield host
    host.close()


def test_steps_run_in_one_process_one_after_the_other(shared: Host) -> None:
    pids = {shared.run("import os\nprint(os.getpid())\nresponse = x", {"x": x}).output for x in range(3)}
    assert pids == {f"{shared.pid}\n"}


def test_output_goes_to_the_step_that_printed_it(shared: Host) -> None:
    assert [shared.run(f"import sys\nsys.stdout.write('{i}')\nresponse = 1").output for i in range(3)] == ["0", "1", "2"]


def test_a_step_that_fails_harms_no_other(shared: Host) -> None:
    for code in ("raise ValueError('no')", "import sys; sys.exit(3)", "x ="):
        assert shared.run(code).result["status"] == "failed"
    assert shared.run("response = 1").reusable


@pytest.mark.parametrize("change", [
    "import os; os.environ['LEFT'] = '1'; del os.environ['PATH']", "import os; os.chdir('/')", "open('left', 'w').write('x')", "import os; os.makedirs('a/b')",
    "import sys; sys.stdout = sys.stderr = None", "import os; os.close(1); os.close(2)", "import sys; sys.path.clear()", "left = 1",
    "import os; os.umask(0o777)", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.alarm(1000)",
    "import signal; signal.signal(signal.SIGUSR1, print); signal.setitimer(signal.ITIMER_PROF, 1000); signal.pthread_sigmask(signal.SIG_BLOCK, [15])",
    "import tempfile; tempfile.tempdir = '/nowhere'", "import sys; sys.stdin.close()", "import __main__; __main__.left = 1",
])
def test_the_next_step_finds_what_a_fresh_program_finds(shared: Host, change: str) -> None:
    look = """
import json, os, signal, sys, tempfile
file = os.open('made', os.O_CREAT)
print(json.dumps([sorted(os.environ.items()), os.getcwd() == os.environ['TMPDIR'], os.listdir('.'), oct(os.fstat(file).st_mode), sys.path,
                  'left' in globals(), signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, signal.alarm(0), tempfile.gettempdir() == os.getcwd(),
                  signal.getitimer(signal.ITIMER_PROF), len(signal.pthread_sigmask(signal.SIG_BLOCK, ())), signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL,
                  sys.stdin.read(), sorted(name for name in dir(sys.modules['__main__']) if not name.startswith('_'))]))
os.close(file)
response = 1
"""
    before = json.loads(shared.run(look).output)
    assert before[1:3] == [True, ["made"]]
    assert shared.run(f"{change}\nresponse = 1").reusable
    assert json.loads(shared.run(look).output) == before


@pytest.mark.parametrize("left", [
    "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "import subprocess; subprocess.Popen(['sleep', '1000'])",
    "import os\nif os.fork() == 0:\n  if os.fork() == 0: os.execvp('sleep', ['sleep', '1000'])\n  os._exit(0)\nos.wait()",
    f"import sys; sys.modules['kept'] = bytearray({host.MOST_KEPT})",
    "import os; os.dup(0)",
    "import os\nfor n in os.listdir('/proc/self/fd'):\n  if os.path.realpath(f'/proc/self/fd/{n}').endswith('statm'): os.dup2(0, int(n))",
    "import resource; resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))",
    "try: bytearray(1 << 60)\nexcept MemoryError: pass\nraise MemoryError",
])
def test_what_a_step_leaves_ends_the_process(bare: ForkServer, tmp_path: Path, left: str) -> None:
    shared = Host(bare, tmp_path)
    step = shared.run(f"{left}\nresponse = 1")
    assert step.ended["reusable"] is False
    assert shared.exited()["status"] == 0


def test_garbage_is_gone_before_the_next_step(shared: Host) -> None:
    held = "def around(): return kept\nkept = bytearray(200_000_000)\nresponse = 1"
    for _ in range(3):
        assert shared.run(held).reusable
    look = "print(int(open('/proc/self/statm').read().split()[5]) * 4096)\nresponse = 1"
    assert int(shared.run(look).output) < 150_000_000


def test_what_is_kept_is_a_small_share_of_the_limit(bare: ForkServer, tmp_path: Path) -> None:
    shared = Host(bare, tmp_path, memory=400_000_000)
    assert not shared.run("import sys; sys.modules['kept'] = bytearray(60_000_000)\nresponse = 1").reusable
    shared.exited()


def test_the_keeper_ends_a_host_with_its_step(bare: ForkServer, tmp_path: Path) -> None:
    shared = Host(bare, tmp_path)
    process = os.pidfd_open(shared.pid)
    shared.begin("import sys, threading\nthreading.Event().wait()")
    shared.keeper.send({"type": "stop", "grace": 5})
    wait_for_death(process)
    assert shared.exited()["signal"] == signal.SIGTERM


def test_a_closed_lane_is_the_end(bare: ForkServer, tmp_path: Path) -> None:
    shared = Host(bare, tmp_path)
    shared.run("import os\nos.closerange(3, 100)\nresponse = 1")
    assert shared.exited()["status"] == 0
    assert (tmp_path / "1" / "result.json").exists()


def test_what_a_step_used_is_its_own(shared: Host) -> None:
    busy = shared.run("import time\nx = bytearray(100_000_000)\nwhile time.process_time() < 0.3: pass\nresponse = 1").usage
    idle = shared.run("response = 1").usage
    assert busy["cpu_seconds"] > idle["cpu_seconds"]
    assert busy["peak_memory"] - idle["peak_memory"] > 90_000_000
