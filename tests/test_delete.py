"""DELETE, and what it may not take away."""

import os

import psutil
import pytest

from support import PREFIX, Gate, unique


def test_what_is_deleted_is_gone_everywhere_and_its_name_is_free(shared):
    name = unique()
    shared.made("/model/scikitlearn", {"modelName": name, "modulePath": "sklearn.svm", "class": "SVC"})
    answer = shared.delete(f"/model/scikitlearn/{name}")
    assert answer.json()["result"] == "deleted file" and answer.json()["bytesFreed"] >= 0
    for path in (f"/model/scikitlearn/{name}", f"/step/{name}", f"/step/{name}/log", f"/step/{name}/artifact", f"/observe/{name}"):
        assert shared.get(path).status_code == 404, path
    assert name not in [step["name"] for step in shared.get("/model/scikitlearn").json()["result"]]
    refused = shared.function(unique(), "response = 1", functionParameters={"x": f"${name}"})
    assert refused.status_code == 406 and name in refused.json()["detail"]
    assert shared.function(name, "response = 1").status_code == 201


@pytest.mark.parametrize("path", ["/function/python/nobody_at_all", "/model/scikitlearn/nobody_at_all", "/explore/tensorflow/nobody_at_all",
                                  "/dataset/generic/nobody_at_all", "/explore/histogram/nobody_at_all"])
def test_what_is_not_there_cannot_be_deleted(shared, path):
    assert shared.delete(path).status_code == 404


def test_a_step_is_deleted_by_its_own_service_only(shared):
    name = unique()
    shared.function(name, "response = 1")
    shared.finished(name)
    assert shared.delete(f"/train/scikitlearn/{name}").status_code == 404
    assert shared.step(name)["status"] == "finished"


def test_what_runs_or_waits_is_not_deleted(shared, tmp_path):
    gate, name, child = Gate(tmp_path), unique("running"), unique("waiting")
    shared.function(name, gate.code + "response = 1")
    shared.log_until(name, "at the gate")
    refused = shared.delete(f"/function/python/{name}")
    assert refused.status_code == 409 and name in refused.json()["detail"]
    shared.function(child, "response = x", functionParameters={"x": f"${name}"})
    for each in (name, child):
        assert shared.delete(f"/function/python/{each}").status_code == 409
    gate.open()
    shared.finished(child)
    assert shared.delete(f"/function/python/{child}").status_code == shared.delete(f"/function/python/{name}").status_code == 200


def test_what_a_line_uses_is_not_deleted(shared):
    model, trained, predicted = unique("model"), unique("trained"), unique("predicted")
    shared.made("/model/scikitlearn", {"modelName": model, "modulePath": "sklearn.linear_model", "class": "LinearRegression"})
    shared.made("/train/scikitlearn", {"name": trained, "parentName": model, "method": "fit", "methodParameters": {"X": [[0]], "y": [0]}})
    shared.made("/predict/scikitlearn", {"name": predicted, "parentName": trained, "method": "predict", "methodParameters": {"X": [[0]]}})
    assert shared.delete(f"/model/scikitlearn/{model}").status_code == 409
    answer = shared.delete(f"/model/scikitlearn/{model}", cascade="true")
    assert answer.status_code == 200 and sorted(answer.json()["deleted"]) == sorted([model, trained, predicted])
    assert [shared.get(f"/step/{name}").status_code for name in (model, trained, predicted)] == [404] * 3


def test_cascade_cancels_what_runs_and_leaves_no_process(shared, tmp_path):
    gate, parent, name, child = Gate(tmp_path), unique("parent"), unique("running"), unique("waiting")
    shared.function(parent, "response = 1")
    shared.function(name, "import os\nprint('pid', os.getpid(), flush=True)\n" + gate.code + "response = x",
                    functionParameters={"x": f"${parent}"})
    shared.post("/train/scikitlearn", {"name": child, "parentName": name, "method": "fit"})
    shared.log_until(name, "at the gate")
    process = psutil.Process(int(shared.get(f"/step/{name}/log").text.split()[1]))
    answer = shared.delete(f"/function/python/{parent}", cascade="true")
    assert sorted(answer.json()["deleted"]) == sorted([parent, name, child])
    psutil.wait_procs([process], timeout=20)
    assert not process.is_running()
    assert shared.function(name, "response = 'again'").status_code == 201
    assert shared.value("x", x=f"${name}") == "again"


def test_data_that_two_results_share_stays_while_one_of_them_does(shared):
    first, second = unique(), unique()
    content = os.urandom(100_000).hex()
    for name in (first, second):
        shared.function(name, "response = x.encode()", functionParameters={"x": content})
        shared.finished(name)
    freed = shared.delete(f"/function/python/{first}").json()["bytesFreed"]
    assert shared.value("len(x)", x=f"${second}") == len(content)
    rest = shared.delete(f"/function/python/{second}", cascade="true").json()["bytesFreed"]
    assert freed < len(content) <= freed + rest


def test_deleting_frees_every_revision(shared):
    name = unique()
    code = "import os\nresponse = os.urandom(200_000)"
    shared.function(name, code)
    shared.finished(name)
    shared.patch(f"/function/python/{name}", {"function": code + "\n"})
    shared.finished(name)
    assert shared.delete(f"/function/python/{name}").json()["bytesFreed"] >= 400_000


def test_a_step_that_ended_cannot_be_cancelled_and_one_that_was_can(shared, tmp_path):
    gate, done, held = Gate(tmp_path), unique(), unique()
    shared.function(done, "response = 1")
    shared.finished(done)
    assert shared.http.post(f"{PREFIX}/step/{done}/cancel").status_code == 409
    shared.function(held, gate.code + "response = 1")
    shared.log_until(held, "at the gate")
    assert [shared.http.post(f"{PREFIX}/step/{held}/cancel").status_code for _ in range(2)] == [200, 200]
    child = shared.function(unique(), "response = 1", functionParameters={"x": f"${held}"})
    assert child.status_code == 406 and held in child.json()["detail"]
    assert shared.delete(f"/function/python/{held}").status_code == 200
