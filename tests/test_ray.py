"""Steps on a Ray cluster: they behave as on the server's machine, and whatever dies or falls silent, none is lost, none runs twice at once."""

import os
import pathlib

import psutil
import pytest

import ray_nodes
import wire as wires
from support import Server, eventually, unique

PATIENT = {"retry": {"maxAttempts": 5, "delay": 0.1}}
WRITES_ITS_NUMBER = "import os, time\nopen(path, 'a').write(f'{os.getpid()}\\n')\n"


@pytest.fixture(scope="module")
def cluster():
    with ray_nodes.running(cpus=2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def variables(cluster):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.server_variables().items():
            patch.setenv(name, value)
        yield patch


@pytest.fixture(scope="module")
def server(cluster, variables, tmp_path_factory):
    with on(cluster, tmp_path_factory.mktemp("ray")) as server:
        yield server


def on(cluster, folder, **more):
    return Server(folder / "data", "--runner", f"ray:{cluster.address}", **more)


def numbers(path: pathlib.Path) -> list[int]:
    """What steps wrote of their processes, one a line."""
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def has_ended(number: int) -> bool:
    return not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


def ancestors(number: int) -> list[str]:
    return [" ".join(each.cmdline()) for each in psutil.Process(number).parents()]


# --- as on the server's machine ---


def test_a_step_runs_on_a_node_and_its_result_is_the_next_ones(server, tmp_path):
    path = tmp_path / "numbers"
    server.function("where", WRITES_ITS_NUMBER + "open('left', 'w').write('x')\nprint('on my way')\nresponse = {'a': [1, 2.5]}",
                    functionParameters={"path": str(path)})
    server.finished("where")
    assert server.get("/step/where/log").text == "on my way\n"
    assert server.value("x['a']", x="$where") == [1, 2.5]
    server.function("waits", WRITES_ITS_NUMBER + "time.sleep(1000)", functionParameters={"path": str(path)})
    eventually(lambda: len(numbers(path)) == 2)
    assert server.process.pid not in [each.pid for each in psutil.Process(numbers(path)[1]).parents()], "it runs below the server"
    assert any("orchestra_forkserver" in text and "_ray_pkg" in text for text in ancestors(numbers(path)[1])), "nothing but the runtime package runs it"
    server.http.post("/api/learningOrchestra/v1/step/waits/cancel")
    assert server.ended("waits")["status"] == "cancelled"


def test_frames_and_models_pass_between_steps(server):
    server.function("frame", "import pandas, numpy\nresponse = pandas.DataFrame({'x': numpy.arange(50_000) / 1.0, 'y': numpy.arange(50_000) % 2})")
    server.finished("frame")
    assert server.value("[len(f), float(f.x.sum())]", f="$frame") == [50_000, 1249975000.0]
    server.function("labels", "response = f.y", functionParameters={"f": "$frame"})
    server.function("features", "response = f[['x']]", functionParameters={"f": "$frame"})
    server.post("/model/scikitlearn", {"name": "tree", "modulePath": "sklearn.tree", "class": "DecisionTreeClassifier", "classParameters": {"random_state": 0}})
    server.post("/train/scikitlearn", {"name": "grown", "parentName": "tree", "modelName": "tree", "method": "fit",
                                       "methodParameters": {"X": "$features", "y": "$labels"}})
    assert server.finished("grown")["status"] == "finished"


def test_a_failure_has_its_traceback(server):
    name = unique()
    server.function(name, "def f():\n    raise ValueError('no such luck')\nf()")
    step = server.ended(name)
    assert step["status"] == "failed" and step["exception"] == "ValueError: no such luck"
    assert "line 2, in f" in server.get(f"/function/python/{name}").json()["result"][-1]["exception"]


@pytest.mark.parametrize("code, says", [
    ("import os\nos._exit(3)", "exit status 3"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
    ("x = []\nwhile True: x.append(bytearray(10_000_000))", "MemoryError"),
])
def test_a_death_is_told(server, code, says):
    name = unique()
    server.function(name, code, resources={"memory": "300MB"})
    step = server.ended(name)
    assert step["status"] == "failed" and says in step["exception"]


def test_output_comes_while_it_runs_and_all_of_it(server):
    name, size = unique(), 5_000_000
    server.function(name, f"import sys, time\nprint('begun', flush=True)\nopen(path, 'rb').read()\nsys.stdout.write('x' * {size})\nresponse = 1",
                    functionParameters={"path": (fifo := _fifo(server))})
    server.log_until(name, "begun")
    with open(fifo, "wb"):
        pass
    server.finished(name)
    assert server.get(f"/step/{name}/log").text == "begun\n" + "x" * size


def _fifo(server) -> str:
    path = server.data.parent / unique("fifo")
    os.mkfifo(path)
    return str(path)


def test_a_step_with_much_to_say_is_told_by_a_file(server):
    name = unique()
    server.function(name, "response = 1 #" + "x" * 500_000)
    server.finished(name)


CHILDREN = WRITES_ITS_NUMBER + """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, '-c', 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)'], start_new_session=True)
open(path, 'a').write(f'{child.pid}\\n')
time.sleep(1000)
"""


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_what_is_stopped_ends_with_its_children(server, tmp_path, how):
    name, path = unique(), tmp_path / "numbers"
    server.function(name, CHILDREN, functionParameters={"path": str(path)}, **({"timeout": 2} if how == "timeout" else {}))
    eventually(lambda: len(numbers(path)) == 2)
    if how == "cancel":
        server.http.post(f"/api/learningOrchestra/v1/step/{name}/cancel")
    step = server.ended(name)
    assert (step["status"], step.get("reason")) == (("cancelled", None) if how == "cancel" else ("failed", "timeout"))
    eventually(lambda: all(map(has_ended, numbers(path))))


def test_a_step_waits_for_what_it_asks_for_and_can_be_cancelled_meanwhile(server):
    name = unique()
    answer = server.function(name, "response = 1", resources={"cpu": 64})
    assert answer.status_code == 201, answer.text
    server.progress_until(name, lambda progress: progress == {"phase": "waiting for the Ray cluster"})
    server.http.post(f"/api/learningOrchestra/v1/step/{name}/cancel")
    assert server.ended(name)["status"] == "cancelled"
    name = unique()
    server.function(name, "response = 1")
    server.finished(name)


def test_it_tells_how_it_is_doing(server, cluster):
    server.function("ready", "response = 1")
    server.finished("ready")
    assert server.http.get("/ready").json()["runners"]["ray"]["state"] == "warm"


# --- what dies ---


def test_the_client_is_killed(server, tmp_path):
    name, path = unique(), tmp_path / "numbers"
    server.function(name, WRITES_ITS_NUMBER + "import os\nif len(open(path).readlines()) == 1: time.sleep(1000)\nresponse = 1", functionParameters={"path": str(path)}, **PATIENT)
    eventually(lambda: len(numbers(path)) == 1)
    psutil.Process(server.http.get("/ready").json()["runners"]["ray"]["pid"]).kill()
    assert server.finished(name)["revisions"][-1]["attempts"] == 2
    assert has_ended(numbers(path)[0])


def test_the_process_of_ray_is_killed(server, cluster, tmp_path):
    name, path = unique(), tmp_path / "numbers"
    server.function(name, WRITES_ITS_NUMBER + "if len(open(path).readlines()) == 1: time.sleep(1000)\nresponse = 1", functionParameters={"path": str(path)}, **PATIENT)
    eventually(lambda: len(numbers(path)) == 1)
    for process in cluster.head.processes():
        if process.name().startswith("ray::") and name in "".join(process.cmdline()):
            process.kill()
    assert server.finished(name)["revisions"][-1]["attempts"] == 2
    assert has_ended(numbers(path)[0])


def test_the_server_is_killed(cluster, variables, tmp_path):
    path = tmp_path / "numbers"
    with on(cluster, tmp_path) as server:
        server.function("killed", CHILDREN.replace("time.sleep(1000)\n", "if len(open(path).readlines()) == 2: time.sleep(1000)\nresponse = 1\n"),
                        functionParameters={"path": str(path)})
        eventually(lambda: len(numbers(path)) == 2)
        old = numbers(path)
        server.kill()
        eventually(lambda: all(map(has_ended, old)))  # with no other server to see to it
        server.start()
        server.finished("killed")
        assert len(numbers(path)) == 4


def test_a_node_dies(server, cluster, tmp_path):
    name, path = unique(), tmp_path / "numbers"
    node = cluster.add(cpus=4)
    server.function(name, WRITES_ITS_NUMBER + "if len(open(path).readlines()) == 1: time.sleep(1000)\nresponse = 1", functionParameters={"path": str(path)},
                    resources={"cpu": 3}, **PATIENT)
    eventually(lambda: len(numbers(path)) == 1)
    cluster.kill(node)
    cluster.add(cpus=4)
    assert server.finished(name)["revisions"][-1]["attempts"] >= 2
    assert has_ended(numbers(path)[0])


def test_a_network_falls_silent(tmp_path):
    path = tmp_path / "numbers"
    with wires.laid() as wire, ray_nodes.running(cpus=0, host=wire.here) as cluster, pytest.MonkeyPatch.context() as patch:
        for variable, value in cluster.server_variables().items():
            patch.setenv(variable, value)
        cluster.add(cpus=2, host=wire.there, before=tuple(wire.before))
        with on(cluster, tmp_path) as server:
            server.function("cut", WRITES_ITS_NUMBER + "first = open(path).readlines()[0]\n"
                            "while len(open(path).readlines()) == 1: time.sleep(0.01)\n"
                            "assert os.path.exists(f'/proc/{first.strip()}') == (str(os.getpid()) == first.strip()), 'two attempts at once'\nresponse = 1",
                            functionParameters={"path": str(path)}, **PATIENT)
            eventually(lambda: len(numbers(path)) == 1)
            wire.cut()
            cluster.add(cpus=2)
            assert server.finished("cut")["revisions"][-1]["attempts"] >= 2
            assert has_ended(numbers(path)[0])
            wire.mend()
            server.function("after", "response = 1")
            server.finished("after")


# --- what is set up wrongly ---


def refusal(tmp_path, runner, **variables) -> str:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError) as refused:
        for name, value in {"HOME": str(tmp_path), "ORCHESTRA_RAY_PYTHON": str(ray_nodes.PYTHON), **variables}.items():
            patch.setenv(name, value)
        Server(tmp_path / "data", "--runner", runner)
    lines = [line for line in str(refused.value).splitlines() if "error" in line]
    assert len(lines) == 1, refused.value
    return lines[0]


def test_a_server_without_a_token(cluster, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    assert f"--runner ray:{cluster.address}: no token: set RAY_AUTH_TOKEN" in refusal(tmp_path, f"ray:{cluster.address}")


def test_a_server_with_a_wrong_token(cluster, tmp_path):
    assert "does not take the token: RAY_AUTH_TOKEN" in refusal(tmp_path, f"ray:{cluster.address}", RAY_AUTH_TOKEN="0" * 32)


def test_a_cluster_that_lets_everybody_in(tmp_path):
    with ray_nodes.running(cpus=1, variables={"RAY_AUTH_MODE": "disabled"}) as cluster:
        assert "lets everybody run code" in refusal(tmp_path, f"ray:{cluster.address}", RAY_AUTH_TOKEN=cluster.token)


def test_no_such_environment(cluster, tmp_path):
    assert "./orchestra environment ray" in refusal(tmp_path, f"ray:{cluster.address}", RAY_AUTH_TOKEN=cluster.token, ORCHESTRA_RAY_PYTHON="/nowhere/python")


def test_a_cluster_that_comes_later(tmp_path, monkeypatch):
    port = ray_nodes.free_port()
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 32)
    monkeypatch.setenv("ORCHESTRA_RAY_PYTHON", str(ray_nodes.PYTHON))
    with Server(tmp_path / "data", "--runner", f"ray:127.0.0.1:{port}") as server:
        assert f"--runner ray:127.0.0.1:{port}: nothing answers at 127.0.0.1:{port}" in server.log()
        server.function("patient", "response = 1")
        server.running("patient")
        assert server.http.get("/ready").json()["runners"]["ray"]["state"] == "starting"
        server.http.post("/api/learningOrchestra/v1/step/patient/cancel")
        assert server.ended("patient")["status"] == "cancelled"
