"""The fork server's own conduct."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from conftest import ForkServer, function, wait_for_death

from orchestra_runtime import tree


@pytest.mark.parametrize("kind", ["bare", "scientific"])
def test_ready_is_said_once_with_one_thread(kind: str, tmp_path: Path) -> None:
    server = ForkServer(kind, folder=tmp_path)
    ready = server.ready()
    assert ready.pop("load_seconds") > 0
    assert ready == {"v": 1, "type": "ready", "pid": server.pid, "kind": kind, "threads": 1}
    assert len(os.listdir(f"/proc/{server.pid}/task")) == 1
    assert server.close() == 0


def test_bare_loads_nothing_heavy(bare: ForkServer) -> None:
    heavy = {"numpy", "pandas", "pyarrow", "sklearn", "multiprocessing", "asyncio", "urllib.request"}
    assert bare.run(f"import sys\nprint({heavy} & set(sys.modules))\nresponse = 0").output == "set()\n"


def test_a_library_that_starts_threads_is_refused(tmp_path: Path) -> None:
    if (os.cpu_count() or 1) < 2:
        pytest.skip("OpenBLAS starts no thread on one processor")
    server = ForkServer("scientific", folder=tmp_path, environment={"OPENBLAS_NUM_THREADS": "2"})
    message, _ = server.control.receive()
    assert message is None
    assert os.waitstatus_to_exitcode(server.close()) == 3
    assert re.search(r"has \d threads .* OPENBLAS_NUM_THREADS", server.errors.read_text())


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    server = ForkServer("strange", folder=tmp_path)
    assert os.waitstatus_to_exitcode(server.close()) == 2
    assert "invalid choice: 'strange'" in server.errors.read_text()


def test_an_unknown_message_is_an_error(tmp_path: Path) -> None:
    server = ForkServer("bare", "--surplus", "0.05", folder=tmp_path)
    server.ready()
    server.control.send({"type": "dance"})
    assert os.waitstatus_to_exitcode(os.waitpid(server.pid, 0)[1]) == 4
    assert "unknown type 'dance'" in server.errors.read_text()


def test_a_start_without_descriptors_is_refused(bare: ForkServer) -> None:
    bare.control.send({"v": 1, "type": "start", "token": "t", "step_file": "x"})
    refused, _ = bare.control.receive()
    why = "ValueError: a start message comes with 2 descriptors, this one with 0"
    assert refused == {"type": "refused", "token": "t", "why": why}
    bare.run("response = 1").finished()


def test_an_unreadable_step_file_is_told(bare: ForkServer) -> None:
    job = bare.start(function("response = 1"))
    job.ended().finished()
    (job.folder / "step.json").unlink()
    again = bare.start(function("response = 1"), members=[])
    assert again.ended().exited["status"] == 0  # no members, nothing to do
    broken = bare.start(function("response = 1"), v=2)
    ended = broken.ended()
    assert ended.exited["status"] == 70 and "version 2" in ended.output


def test_a_step_in_the_message_arrives_as_it_was_sent(bare: ForkServer) -> None:
    text = "й" * 25_000  # three times as long where JSON escapes it
    assert bare.run("print(len(text), text[-1])\nresponse = 1", {"text": text}, in_message=True).output == "25000 й\n"


def test_jobs_side_by_side(bare: ForkServer) -> None:
    jobs = [bare.start(function(f"import time\nprint({number})\ntime.sleep(0.01)\nresponse = {number}")) for number in range(20)]
    for number, job in enumerate(jobs):
        ended = job.ended()
        ended.finished()
        assert ended.output == f"{number}\n"


def test_a_spare_that_died_is_replaced(tmp_path: Path) -> None:
    server = ForkServer("bare", "--surplus", "0.05", folder=tmp_path)
    server.ready()
    server.run("response = 1").finished()
    _kill(_waiting_spare(server)[0])
    server.run("response = 1").finished()
    server.run("response = 1").finished()
    assert server.close() == 0


def test_a_spares_step_that_died_is_replaced(tmp_path: Path) -> None:
    server = ForkServer("bare", "--surplus", "0.05", folder=tmp_path)
    server.ready()
    server.run("response = 1").finished()
    _kill(_waiting_spare(server)[1])
    server.run("response = 1").finished()
    assert server.close() == 0


def test_nothing_is_left_when_the_server_closes(tmp_path: Path) -> None:
    server = ForkServer("bare", "--surplus", "0.05", folder=tmp_path)
    server.ready()
    server.run("response = 1").finished()
    spare = [os.pidfd_open(pid) for pid in _waiting_spare(server)]
    assert server.close() == 0
    for process in spare:
        wait_for_death(process)
    assert os.listdir(server.temporary) == []
    assert server.errors.read_text() == ""


def test_scratch_of_killed_keepers_is_swept_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    first = ForkServer("bare", "--surplus", "0.05", folder=tmp_path / "first")
    first.ready()
    first.run("response = 1").finished()
    keeper, _ = _waiting_spare(first)
    os.kill(first.pid, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    left = os.listdir(first.temporary)
    second = ForkServer("bare", folder=tmp_path / "second", environment={"TMPDIR": str(first.temporary)})
    second.ready()
    assert len(left) == 1 and left[0] not in os.listdir(first.temporary)
    assert second.close() == 0


def test_sigint_of_a_terminal_is_not_for_the_fork_server(tmp_path: Path) -> None:
    server = ForkServer("bare", "--surplus", "0.05", folder=tmp_path)
    server.ready()
    os.kill(server.pid, signal.SIGINT)
    server.run("response = 1").finished()
    assert server.close() == 0


def test_the_environment_of_one_step_does_not_reach_the_next(bare: ForkServer) -> None:
    bare.run("import os, sys, json\nos.environ['LEAK'] = '1'\nsys.path.append('/leak')\njson.leak = 1\nresponse = 1").finished()
    code = "import os, sys, json\nprint('LEAK' in os.environ, '/leak' in sys.path, hasattr(json, 'leak'))\nresponse = 1"
    assert bare.run(code).output == "False False False\n"


def test_isolated_from_the_caller(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('shadowed')")
    server = ForkServer("bare", folder=tmp_path / "s", environment={"PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": "/x"})
    server.ready()
    assert server.run(f"import sys\nprint({str(tmp_path)!r} in sys.path)\nresponse = 1").output == "False\n"
    assert server.close() == 0


def _waiting_spare(server: ForkServer) -> tuple[int, int]:
    """Keeper and step of the one spare, once the step waits in its folder and nobody else is left."""
    while True:
        keepers = tree.children(server.pid)
        steps = [step for keeper in keepers for step in tree.children(keeper)]
        if len(keepers) == len(steps) == 1 and os.readlink(f"/proc/{steps[0]}/cwd").startswith(str(server.temporary)):
            return keepers[0], steps[0]
        os.sched_yield()


def _kill(pid: int) -> None:
    """And waits until it is dead."""
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    wait_for_death(process)
