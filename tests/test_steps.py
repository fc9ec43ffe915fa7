"""What a step of user code may do to its surroundings, and how it ends then. Each leaves no process and no file."""

import pytest

from support import PREFIX, Gate, Server, events, unique


def execution(server, name):
    return server.get(f"/function/python/{name}").json()["result"][-1]


def test_a_function_gives_a_result_and_what_it_printed(shared):
    name = unique()
    answer = shared.function(name, "print('hello', x)\nresponse = x + 1", functionParameters={"x": 41})
    assert answer.status_code == 201
    assert answer.json() == {"result": f"/api/learningOrchestra/v1/function/python/{name}?query={{}}&limit=20&skip=0"}
    assert answer.headers["location"] == f"/api/learningOrchestra/v1/function/python/{name}"
    step = shared.ended(name)
    assert (step["status"], step["finished"], step["exception"]) == ("finished", True, None)
    document = execution(shared, name)
    assert document["functionMessage"] == "hello 41\n"
    assert document["functionParameters"] == {"x": 41}
    assert shared.get(f"/step/{name}/log").text == "hello 41\n"


def test_results_travel_between_steps(shared):
    first, second = unique(), unique()
    shared.function(first, "response = {'values': [1, 2, 3]}")
    shared.function(second, "print(sum(values), whole)", functionParameters={"values": f"${first}.values", "whole": f"${first}"})
    assert shared.ended(second)["status"] == "failed"  # response was never set
    assert "response" in shared.step(second)["exception"]
    assert shared.get(f"/step/{second}/log").text == "6 {'values': [1, 2, 3]}\n"


def test_none_is_a_result(shared):
    name = unique()
    shared.function(name, "response = None")
    assert shared.ended(name)["status"] == "finished"


def test_a_table_that_a_function_gives_is_a_dataset(shared):
    name, projected = unique(), unique()
    shared.function(name, "import pandas\nresponse = pandas.DataFrame({'a': [1, 2], 'b': ['x', None]})")
    step = shared.ended(name)
    assert (step["fields"], step["rows"]) == (["a", "b"], 2)
    assert shared.rows(name) == [{"_id": 1, "a": 1, "b": "x"}, {"_id": 2, "a": 2, "b": None}]
    answer = shared.post("/transform/projection", {"inputDatasetName": name, "outputDatasetName": projected, "names": ["b"]})
    assert answer.status_code == 201
    shared.ended(projected)
    assert shared.rows(projected) == [{"_id": 1, "b": "x"}, {"_id": 2, "b": None}]


def test_an_error_shows_the_users_lines(shared):
    name = unique()
    shared.function(name, "def inner():\n    raise ValueError('boom')\n\ninner()\n")
    step = shared.ended(name)
    assert (step["status"], step["reason"], step["exception"]) == ("failed", "error", "ValueError: boom")
    traceback = execution(shared, name)["exception"]
    assert "line 2, in inner" in traceback and "raise ValueError('boom')" in traceback
    assert "orchestra_runtime" not in traceback


def test_os_exit_is_told(shared):
    name = unique()
    shared.function(name, "import os\nos._exit(3)")
    step = shared.ended(name)
    assert step["status"] == "failed" and "3" in step["exception"]


def test_a_timeout_ends_a_step_that_sleeps(shared):
    name = unique()
    shared.function(name, "import threading\nthreading.Event().wait()", timeout=0.5)
    step = shared.ended(name)
    assert (step["status"], step["reason"]) == ("failed", "timeout")
    assert "0.5" in step["exception"]


def test_a_step_that_ignores_sigterm_is_cancelled_with_all_it_started(shared):
    name = unique()
    marker = unique("marker")
    code = f"""
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleeper = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
subprocess.Popen([sys.executable, "-c", sleeper, "{marker}"])
subprocess.Popen([sys.executable, "-c", sleeper, "{marker}"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", sleeper, "{marker}"])
    os._exit(0)
print("started", flush=True)
signal.pause()
"""
    shared.function(name, code)
    shared.log_until(name, "started")
    assert shared.http.post(f"/api/learningOrchestra/v1/step/{name}/cancel").status_code == 200
    assert shared.http.post(f"/api/learningOrchestra/v1/step/{name}/cancel").status_code == 200
    assert shared.step(name)["status"] == "cancelled"
    shared.until(name, lambda step: execution(shared, name)["endTime"] is not None)
    assert processes_with(marker) == []


def processes_with(marker):
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        if marker in (process.info["cmdline"] or []):
            found.append(process.pid)
    return found


def test_children_left_behind_are_cleared_after_a_normal_end(shared):
    name = unique()
    marker = unique("marker")
    code = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()", "{marker}"], start_new_session=True)
response = 1
"""
    shared.function(name, code)
    assert shared.ended(name)["status"] == "finished"
    shared.until(name, lambda step: processes_with(marker) == [])


def test_a_step_over_its_memory_limit_says_so(shared):
    name = unique()
    shared.function(name, "keep = bytearray(600_000_000)\nfor i in range(0, len(keep), 4096): keep[i] = 1\nresponse = 1",
                    resources={"memory": "200MB"})
    step = shared.ended(name)
    assert (step["status"], step["reason"]) == ("failed", "out_of_memory")
    assert "200" in step["exception"]


def test_a_step_that_prints_100_mb_keeps_first_and_last(shared):
    name = unique()
    shared.function(name, "line = 'x' * 999\nfor i in range(100_000): print(line)\nprint('the end')\nresponse = 1")
    assert shared.ended(name)["status"] == "finished"
    log = shared.get(f"/step/{name}/log").text
    assert 60_000_000 < len(log) < 70_000_000
    assert log.endswith("the end\n")
    message = execution(shared, name)["functionMessage"]
    assert 64 * 1024 <= len(message) < 70 * 1024 and message.endswith("the end\n")


def test_a_log_is_followed_while_the_step_runs(shared, tmp_path):
    name = unique()
    gate = tmp_path / "gate"
    code = f"""
import os, time
print("before", flush=True)
os.mkfifo({str(gate)!r})
print("waiting", flush=True)
open({str(gate)!r}).read()
print("after")
response = 1
"""
    shared.function(name, code)
    shared.log_until(name, "waiting")
    gate.write_text("go")
    shared.log_until(name, "after")
    assert shared.ended(name)["status"] == "finished"


def test_a_retry_runs_again(shared, tmp_path):
    name = unique()
    count = tmp_path / "count"
    code = f"""
with open({str(count)!r}, "a") as file: file.write("x")
if len(open({str(count)!r}).read()) < 3: raise RuntimeError("not yet")
response = 1
"""
    shared.function(name, code, retry={"maxAttempts": 3, "delay": 0.01})
    step = shared.ended(name)
    assert (step["status"], step["attempts"]) == ("finished", 3)
    documents = shared.get(f"/function/python/{name}").json()["result"][1:]
    assert [document["status"] for document in documents] == ["failed", "failed", "finished"]


def test_independent_steps_run_side_by_side(shared, tmp_path):
    first, second = unique(), unique()
    here, there = tmp_path / "here", tmp_path / "there"
    import os

    os.mkfifo(here)
    os.mkfifo(there)
    shared.function(first, f"open({str(here)!r}, 'w').write('x'); open({str(there)!r}).read(); response = 1", timeout=60)
    shared.function(second, f"open({str(here)!r}).read(); open({str(there)!r}, 'w').write('x'); response = 1", timeout=60)
    assert shared.ended(first)["status"] == "finished"
    assert shared.ended(second)["status"] == "finished"


def test_patch_runs_a_changed_step_again_and_marks_its_children_stale(shared):
    first, second = unique(), unique()
    shared.function(first, "response = x", functionParameters={"x": 1})
    shared.function(second, "response = y * 10", functionParameters={"y": f"${first}"})
    shared.ended(second)
    assert shared.patch(f"/function/python/{first}", {"functionParameters": {"x": 2}}).status_code == 201
    step = shared.ended(first)
    assert (step["revision"], step["request"]["function"]) == (2, "response = x")
    stale = shared.step(second)
    assert stale["stale"] and f"{first}@1" in stale["staleReason"]
    assert shared.http.post(f"/api/learningOrchestra/v1/step/{second}/rerun").status_code == 201
    assert not shared.ended(second)["stale"]


def test_delete_frees_the_name_and_the_disk(shared):
    name, child = unique(), unique()
    shared.function(name, "response = bytes(1_000_000)")
    shared.function(child, "response = len(x)", functionParameters={"x": f"${name}"})
    shared.ended(child)
    refused = shared.delete(f"/function/python/{name}")
    assert refused.status_code == 409 and child in refused.json()["detail"]
    assert shared.delete(f"/function/python/{child}").json()["result"] == "deleted file"
    freed = shared.delete(f"/function/python/{name}")
    assert freed.status_code == 200 and freed.json()["bytesFreed"] >= 1_000_000
    assert shared.get(f"/step/{name}").status_code == 404
    assert shared.function(name, "response = 1").status_code == 201


@pytest.mark.parametrize("victim", ["keeper", "fork server"])
def test_a_killed_worker_fails_its_step_and_the_next_one_runs(fresh, victim):
    import psutil

    name = unique()
    fresh.function(name, "import signal\nprint('started', flush=True)\nsignal.pause()")
    fresh.log_until(name, "started")
    forkserver = next(process for process in psutil.Process(fresh.process.pid).children()
                      if "orchestra_forkserver.py" in " ".join(process.cmdline()))
    target = forkserver if victim == "fork server" else forkserver.children()[0]
    target.kill()
    if victim == "keeper":
        step = fresh.ended(name)
        assert (step["status"], step["reason"]) == ("failed", "killed") and step["exception"]
    after = unique()
    fresh.function(after, "response = 1")
    assert fresh.ended(after)["status"] == "finished"
    assert fresh.http.get("/ready").status_code == 200
    if victim == "fork server":
        assert fresh.step(name)["status"] == "running", "the death of a fork server harms no running step"
        assert fresh.http.post(f"/api/learningOrchestra/v1/step/{name}/cancel").status_code == 200


def test_steps_have_devices_of_their_own(tmp_path):
    gate = Gate(tmp_path)
    code = "import os\nprint('devices', os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True)\n"
    with Server(tmp_path / "data", "--gpus", "2", "--cpus", "8") as server:
        server.function("holds", code + gate.code + "response = 1", resources={"gpu": 1})
        server.log_until("holds", "at the gate")
        server.function("plain", code + "response = 1")
        server.function("one", code + "response = 1", resources={"gpu": 1})
        server.finished("plain")
        server.finished("one")
        server.function("both", code + "response = 1", resources={"gpu": 2})
        assert server.step("both")["wait"] == "place 1 in the queue, for gpu"
        server.function("passes", "response = 1")
        server.finished("passes")
        gate.open()
        server.finished("both")
        seen = {name: server.get(f"/step/{name}/log").text.splitlines()[0] for name in ("holds", "plain", "one", "both")}
        assert seen == {"holds": "devices 0", "plain": "devices ", "one": "devices 1", "both": "devices 0,1"}
        refused = server.function("three", "response = 1", resources={"gpu": 3})
        assert refused.json()["errors"] == [{"pointer": "/resources/gpu", "detail": "resources/gpu is 3, but this server has 2 (serve --gpus)"}]
        assert server.get("/step/three").status_code == 404


def started(server):
    """The events of steps that began to run, in their order."""
    server.function("last", "response = 1")
    with server.http.stream("GET", PREFIX + "/observe/stream", headers={"Last-Event-ID": "0"}) as answer:
        for _, kind, event in events(answer):
            if event.get("name") == "last":
                return
            if kind == "running":
                yield event


def test_owners_take_turns(tmp_path):
    gate = Gate(tmp_path)
    with Server(tmp_path / "data", "--cpus", "1") as server:
        server.function("held", gate.code + "response = 1", labels={"owner": "ada"})
        server.log_until("held", "at the gate")
        for i in range(5):
            server.function(f"many{i}", "response = 1", labels={"owner": "ada"})
        server.function("single", "response = 1", labels={"owner": "bob"})
        assert server.step("single")["wait"] == "place 1 in the queue, for cpu"
        assert server.step("many4")["wait"] == "place 6 in the queue, for cpu"
        gate.open()
        server.finished("many4")
        began = [event["name"] for event in started(server) if event["name"] != "held"]
        assert began == ["single", *(f"many{i}" for i in range(5))]
