"""The kind tensorflow: fresh processes that load TensorFlow after their fork. In the environment tensorflow."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import HOME, PATIENCE, Ended, ForkServer, function, wait_for_death

from orchestra_runtime import objects, tree

pytestmark = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs the environment tensorflow")

LIBRARY = "libtensorflow_cc.so"
RECVMSG = "47"  # its number on x86-64: a spare that is warm waits in it
ROUNDS = 100

LOADED = "import sys\nprint('tensorflow' in sys.modules and 'keras' in sys.modules)\nresponse = 1"
TRAIN = """
import keras
import numpy
keras.utils.set_random_seed(seed)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2, "softmax")])
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
rows = numpy.random.default_rng(seed).normal(size=(256, 4))
history = model.fit(rows, (rows.sum(1) > 0).astype(int), epochs=20, verbose=0)
response = {"weights": [each.tolist() for each in model.get_weights()], "metrics": {"accuracy": history.history["accuracy"][-1]}}
"""
THREADS = """
import os
import tensorflow
tensorflow.random.normal((500, 500)) @ tensorflow.random.normal((500, 500))
print(sum(open(f"/proc/self/task/{each}/comm").read() == "tf_Compute\\n" for each in os.listdir("/proc/self/task")))
response = 0
"""
STATE = """
import keras
import tensorflow
print(keras.backend.floatx(), "leak" in vars(tensorflow), float(tensorflow.random.normal(())))
keras.backend.set_floatx("float64")
tensorflow.random.set_seed(1)
tensorflow.leak = True
response = 0
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    server = _ready(tmp_path_factory.mktemp("tensorflow-kind"))
    yield server
    assert server.close() == 0
    assert server.errors.read_text() == ""


def test_the_fork_server_has_one_thread_and_no_tensorflow(server: ForkServer) -> None:
    server.run("response = 1").finished()
    _warm_spare(server)
    assert len(os.listdir(f"/proc/{server.pid}/task")) == 1
    assert LIBRARY not in _read(server.pid, "maps")


def test_a_warm_spare_runs_at_once(server: ForkServer) -> None:
    _, step = _warm_spare(server)
    job = server.start(function(LOADED))
    assert job.until("started")["step"] == step
    assert job.ended().output == "True\n"


def test_a_job_is_told_as_started_while_its_step_loads(server: ForkServer) -> None:
    server.run("response = 1").finished()
    _loading_spare(server)
    job = server.start(function(LOADED))
    step = job.until("started")["step"]
    assert not _is_warm(step) and os.path.exists(f"/proc/{step}")
    assert job.ended().output == "True\n"


def test_jobs_beyond_the_spare_load_it_themselves(server: ForkServer) -> None:
    jobs = [server.start(function(LOADED)) for _ in range(3)]
    assert [job.ended().output for job in jobs] == ["True\n"] * 3


def test_training_gives_the_same_weights_for_the_same_seed(server: ForkServer) -> None:
    first, again, other = (server.run(TRAIN, {"seed": seed}, limits={"memory": 1 << 30, "cpu": 1.0}) for seed in (1, 1, 2))
    assert first.output == ""
    assert first.finished()["facts"]["metrics"]["accuracy"] > 0.8
    assert len(_weights(first)) == 4
    assert [_weights(each) == _weights(first) for each in (again, other)] == [True, False]


def test_two_jobs_share_nothing(server: ForkServer) -> None:
    first, second = (server.run(STATE).output.split() for _ in range(2))
    assert first[:2] == second[:2] == ["float32", "False"]
    assert first[2] != second[2]


@pytest.mark.parametrize("cpu", [1, 3])
def test_threads_are_limited(server: ForkServer, cpu: int) -> None:
    assert server.run(THREADS, limits={"memory": None, "cpu": float(cpu)}).output == f"{cpu}\n"


def test_the_memory_limit_counts_from_what_was_loaded(server: ForkServer) -> None:
    code = "import numpy\nresponse = numpy.ones(size).nbytes"
    limits = {"memory": 1 << 30, "cpu": 1.0}
    server.run(code, {"size": 100 << 20}, limits=limits).finished()
    assert server.run(code, {"size": 150 << 20}, limits=limits).failed()["reason"] == "out_of_memory"


def test_a_step_is_stopped_while_it_loads(server: ForkServer) -> None:
    server.run("response = 1").finished()
    _loading_spare(server)
    job = server.start(function("import signal\nsignal.pause()"))  # should it have loaded before it is stopped
    step = job.until("started")["step"]
    job.channel.send({"type": "stop", "grace": PATIENCE})
    ended = job.ended()
    assert ended.exited["signal"] == signal.SIGTERM and ended.result() is None
    assert not os.path.exists(f"/proc/{step}")


def test_starts_and_stops_in_quick_succession(server: ForkServer) -> None:
    for number in range(ROUNDS):
        job = server.start(function("response = 1"))
        job.until("started")
        time.sleep(number % 10 / 100)  # stopped at another place each time
        job.channel.send({"type": "stop", "grace": 0})
        job.ended()
    server.run("import tensorflow\nresponse = int(tensorflow.constant(1) + 1)").finished()


@pytest.mark.parametrize("which", [0, 1], ids=["keeper", "step"])
def test_a_spare_that_is_killed_while_it_loads_is_replaced(server: ForkServer, which: int) -> None:
    server.run("response = 1").finished()
    victim = _loading_spare(server)[which]
    process = os.pidfd_open(victim)
    os.kill(victim, signal.SIGKILL)
    wait_for_death(process)
    assert server.run(LOADED).output == "True\n"
    _warm_spare(server)


def test_closing_does_not_wait_for_a_spare_that_loads(tmp_path: Path) -> None:
    server = _ready(tmp_path)
    pids = _loading_spare(server)
    spare = [os.pidfd_open(pid) for pid in pids]
    os.kill(pids[1], signal.SIGSTOP)  # it would never be ready
    assert server.close() == 0
    for process in spare:
        wait_for_death(process)
    assert os.listdir(server.temporary) == []


def test_where_it_is_missing_the_fork_server_says_so() -> None:
    code = "import sys\nfrom importlib import util\nutil.find_spec = lambda name: None\n" \
        f"sys.path.insert(0, {str(HOME)!r})\nfrom orchestra_runtime import kinds\nkinds.load('tensorflow')"
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert ended.stderr.endswith("ModuleNotFoundError: No module named 'tensorflow'\n")


def _ready(folder: Path) -> ForkServer:
    server = ForkServer("tensorflow", folder=folder)
    assert server.ready()["threads"] == 1
    return server


def _weights(ended: Ended) -> Any:
    ended.finished()  # what the message held is in files from here on
    return objects.load(ended.staging() / objects.PICKLE, None)["weights"]


def _loading_spare(server: ForkServer) -> tuple[int, int]:
    """Keeper and step of the one spare, once the step has begun to import."""
    return _spare(server, lambda step: LIBRARY in _read(step, "maps"))


def _warm_spare(server: ForkServer) -> tuple[int, int]:
    return _spare(server, _is_warm)


def _is_warm(step: int) -> bool:
    return _read(step, "syscall").startswith(RECVMSG + " ")


def _spare(server: ForkServer, is_wanted: Callable[[int], bool]) -> tuple[int, int]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        keepers = tree.children(server.pid)
        steps = [step for keeper in keepers for step in tree.children(keeper)]
        if len(keepers) == len(steps) == 1 and is_wanted(steps[0]):
            return keepers[0], steps[0]
        time.sleep(0.002)
    raise AssertionError("there is no such spare")


def _read(process: int, file: str) -> str:
    """Empty when it is gone."""
    try:
        return Path(f"/proc/{process}/{file}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
