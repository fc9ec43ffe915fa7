"""PATCH and what it does to those that were made from the step: revisions, races, rebinding, staleness."""

import pytest

from support import PREFIX, Gate, unique


def change(server, name, **body):
    answer = server.patch(f"/function/python/{name}", body)
    assert answer.status_code == 201, answer.text
    return answer


def states(server, name):
    return [(each["revision"], each["status"], each["reason"]) for each in server.step(name)["revisions"]]


def test_patch_answers_like_post_and_keeps_what_it_does_not_name(shared):
    name = unique()
    shared.function(name, "response = [x, y]", functionParameters={"x": 1, "y": 2}, description="d")
    shared.finished(name)
    answer = change(shared, name, functionParameters={"x": 3, "y": 4})
    assert answer.json() == {"result": f"{PREFIX}/function/python/{name}?query={{}}&limit=20&skip=0"}
    request = shared.finished(name)["request"]
    assert (request["function"], request["functionParameters"], request["description"]) == ("response = [x, y]", {"x": 3, "y": 4}, "d")
    assert shared.value("v", v=f"${name}") == [3, 4]


def test_patch_waits_when_it_is_asked_to(shared):
    name = unique()
    shared.function(name, "response = 1")
    answer = shared.http.patch(f"{PREFIX}/function/python/{name}", json={"function": "response = 2"}, headers={"Prefer": "wait=60"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (201, "wait=60")
    assert (answer.json()["metadata"]["status"], answer.json()["metadata"]["revision"]) == ("finished", 2)


@pytest.mark.parametrize("path, body, status, text", [
    ("/function/python/nobody_at_all", {"function": "response = 1"}, 404, "nobody_at_all"),
    ("/train/scikitlearn/NAME", {"method": "fit"}, 404, "NAME"),
    ("/function/python/NAME", {"name": "another"}, 406, "NAME"),
    ("/function/python/NAME", {"functon": "response = 1"}, 406, "function"),
    ("/function/python/NAME", {"functionParameters": {"x": "$nobody_at_all"}}, 406, "nobody_at_all"),
    ("/function/python/NAME", {"functionParameters": {"x": "$NAME"}}, 406, "NAME"),
    ("/function/python/NAME", {"functionParameters": {"x": "$CHILD"}}, 406, "CHILD"),
])
def test_changes_that_are_refused_change_nothing(shared, path, body, status, text):
    name, child = unique("kept"), unique("child")

    def filled(value):
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        return value.replace("NAME", name).replace("CHILD", child)

    shared.function(name, "response = 1")
    shared.function(child, "response = x", functionParameters={"x": f"${name}"})
    shared.finished(child)
    answer = shared.patch(filled(path), filled(body))
    assert answer.status_code == status and filled(text) in answer.json()["detail"], answer.text
    assert states(shared, name) == [(1, "finished", "")]


def test_a_change_of_class_is_checked_before_it_is_accepted(shared):
    name = unique()
    shared.made("/model/scikitlearn", {"modelName": name, "modulePath": "sklearn.svm", "class": "SVC"})
    answer = shared.patch(f"/model/scikitlearn/{name}", {"class": "SVX"})
    assert answer.status_code == 406 and "SVC" in answer.json()["detail"]
    assert states(shared, name) == [(1, "finished", "")]


def test_the_last_good_result_is_served_while_a_new_one_is_made(shared, tmp_path):
    gate, name = Gate(tmp_path), unique()
    table = "import pandas\nresponse = pandas.DataFrame({'a': [%d]})"
    shared.function(name, table % 1)
    shared.finished(name)
    change(shared, name, function=gate.code + table % 2)
    metadata, row = shared.get(f"/dataset/csv/{name}").json()["result"]
    assert (metadata["finished"], metadata["revision"], row) == (False, 2, {"_id": 1, "a": 1})
    gate.open()
    shared.finished(name)
    assert shared.rows(name) == [{"_id": 1, "a": 2}]
    assert shared.get(f"/dataset/csv/{name}", revision=1).json()["result"][1] == {"_id": 1, "a": 1}


def test_a_new_revision_that_fails_fails_the_name_and_keeps_the_last_good_result(shared):
    name, child, other = unique(), unique(), unique()
    shared.function(name, "response = 'good'")
    shared.function(child, "response = x", functionParameters={"x": f"${name}"})
    shared.finished(child)
    change(shared, name, function="raise ValueError('bad')")
    step = shared.ended(name)
    assert (step["status"], step["exception"]) == ("failed", "ValueError: bad")
    assert not shared.step(child)["stale"]
    assert shared.function(other, "response = x", functionParameters={"x": f"${name}"}).status_code == 201  # binds to the good one
    assert shared.finished(other)["parents"] == [{"name": name, "revision": 1, "newest": 1}]
    assert shared.value("x", x=f"${name}@1") == "good"
    refused = shared.function(unique(), "response = x", functionParameters={"x": f"${name}@2"})
    assert refused.status_code == 406 and name in refused.json()["detail"]


def test_a_change_while_it_runs_cancels_the_old_attempt_and_refuses_its_result(shared, tmp_path):
    gate, name = Gate(tmp_path), unique()
    shared.function(name, "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + gate.code + "response = 'old'")
    shared.log_until(name, "at the gate")
    change(shared, name, function="response = 'new'")
    shared.finished(name)
    assert states(shared, name) == [(1, "cancelled", ""), (2, "finished", "")]
    assert shared.value("x", x=f"${name}") == "new"


def test_children_that_wait_rebind_and_those_that_run_finish_stale(shared, tmp_path):
    gate, held, name, running, waiting = Gate(tmp_path), Gate(tmp_path), unique("p"), unique("running"), unique("waiting")
    shared.function(name, "response = x", functionParameters={"x": 1})
    shared.finished(name)
    blocker = unique("blocker")
    shared.function(blocker, held.code + "response = 0")
    shared.function(running, gate.code + "response = x", functionParameters={"x": f"${name}"})
    shared.function(waiting, "response = x", functionParameters={"x": f"${name}", "b": f"${blocker}"})
    shared.log_until(running, "at the gate")
    shared.log_until(blocker, "at the gate")
    change(shared, name, functionParameters={"x": 2})
    gate.open()
    shared.finished(name)
    held.open()
    assert shared.finished(running)["stale"] and f"{name}@1" in shared.step(running)["staleReason"]
    step = shared.finished(waiting)
    assert not step["stale"] and len(step["revisions"]) == 1
    assert shared.value("[r, w]", r=f"${running}", w=f"${waiting}") == [1, 2]


def test_a_child_that_names_a_revision_keeps_it(shared):
    name, child = unique(), unique()
    shared.function(name, "response = 1")
    shared.function(child, "response = x", functionParameters={"x": f"${name}@1"})
    shared.finished(child)
    change(shared, name, function="response = 2")
    shared.finished(name)
    assert not shared.step(child)["stale"]


def test_the_stale_are_listed(shared):
    label = unique("label")
    name, child = unique(), unique()
    shared.function(name, "response = 1", labels={"test": label})
    shared.function(child, "response = x", functionParameters={"x": f"${name}"}, labels={"test": label})
    shared.finished(child)
    change(shared, name, function="response = 2")
    shared.finished(name)
    found = {stale: [step["name"] for step in shared.get("/step", label=f"test={label}", stale=stale).json()["result"]]
             for stale in ("true", "false")}
    assert found == {"true": [child], "false": [name]}


def family(server):
    """a, b made from a, c made from both, and one apart. All have finished."""
    first, second, third, apart = unique("a"), unique("b"), unique("c"), unique("apart")
    server.function(first, "response = x", functionParameters={"x": 1})
    server.function(second, "response = x * 10", functionParameters={"x": f"${first}"})
    server.function(third, "response = [x, y]", functionParameters={"x": f"${first}", "y": f"${second}"})
    server.function(apart, "response = 0")
    for name in (third, apart):
        server.finished(name)
    return first, second, third, apart


def cascade(server, verb, name):
    if verb == "PATCH":
        path, body = f"{PREFIX}/function/python/{name}", {"functionParameters": {"x": 2}}
    else:
        path, body = f"{PREFIX}/step/{name}/rerun", {}
    answer = server.http.request("PATCH" if verb == "PATCH" else "POST", path, params={"cascade": "true"}, json=body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("verb", ["PATCH", "rerun"])
def test_cascade_runs_what_was_made_from_it_in_order(shared, verb):
    *names, apart = family(shared)
    cascade(shared, verb, names[0])
    for name in names:
        step = shared.until(name, lambda step: step["revision"] == 2 and step["finished"])
        assert (step["status"], step["stale"]) == ("finished", False)
        assert all(parent["revision"] == 2 for parent in step["parents"])
    assert shared.step(apart)["revision"] == 1
    assert shared.value("x", x=f"${names[2]}") == ([2, 20] if verb == "PATCH" else [1, 10])


@pytest.mark.parametrize("verb", ["PATCH", "rerun"])
def test_descendants_of_a_cascade_are_accepted_with_it(shared, verb):
    names = family(shared)
    cascade(shared, verb, names[0])
    assert [shared.step(name)["revision"] for name in names] == [2, 2, 2, 1]


def test_a_chain_of_a_tool_is_stale_after_its_model_changed(shared):
    model, trained, score = unique("model"), unique("trained"), unique("score")
    fitted = {"X": [[0], [1], [2]], "y": [0, 1, 5]}
    shared.made("/model/scikitlearn", {"modelName": model, "modulePath": "sklearn.linear_model", "class": "Ridge"})
    shared.made("/train/scikitlearn", {"name": trained, "parentName": model, "method": "fit", "methodParameters": fitted})
    shared.made("/evaluate/scikitlearn", {"name": score, "parentName": trained, "method": "score", "methodParameters": fitted})
    before = shared.step(score)["metrics"]["score"]
    assert shared.patch(f"/model/scikitlearn/{model}", {"classParameters": {"alpha": 100}}).status_code == 201
    shared.finished(model)
    assert shared.step(trained)["stale"]
    for name in (trained, score):
        assert shared.http.post(f"{PREFIX}/step/{name}/rerun").status_code == 201
        assert not shared.finished(name)["stale"]
    assert shared.step(score)["metrics"]["score"] < before


def test_a_failed_parent_is_named(shared, tmp_path):
    gate, name, waiting, below = Gate(tmp_path), unique("broken"), unique("waiting"), unique("below")
    shared.function(name, gate.code + "raise ValueError('no')")
    shared.function(waiting, "response = x", functionParameters={"x": f"${name}"})
    shared.post("/predict/scikitlearn", {"name": below, "parentName": waiting, "method": "predict"})
    gate.open()
    for child in (waiting, below):
        step = shared.ended(child)
        assert (step["status"], step["reason"], step["finished"]) == ("failed", "upstream_failed", True)
    assert name in shared.step(waiting)["exception"] and waiting in shared.step(below)["exception"]
    for path, body in [("/function/python", {"name": unique(), "function": "response = 1", "functionParameters": {"x": f"${name}"}}),
                       ("/train/scikitlearn", {"name": unique(), "parentName": name, "method": "fit"}),
                       ("/transform/projection", {"inputDatasetName": name, "outputDatasetName": unique(), "names": ["a"]})]:
        refused = shared.post(path, body)
        assert refused.status_code == 406 and name in refused.json()["detail"]


def test_a_parents_new_revision_gives_those_that_failed_with_it_a_new_one(shared, tmp_path):
    gate, name, child, below = Gate(tmp_path), unique("parent"), unique("child"), unique("below")
    shared.function(name, gate.code + "raise ValueError('no')")
    shared.function(child, "response = x + 1", functionParameters={"x": f"${name}"})
    shared.function(below, "response = x + 1", functionParameters={"x": f"${child}"})
    gate.open()
    assert shared.ended(below)["reason"] == "upstream_failed"
    change(shared, name, function="response = 1")
    shared.until(below, lambda step: step["revision"] == 2 and step["finished"])
    assert states(shared, child) == [(1, "failed", "upstream_failed"), (2, "finished", "")]
    assert shared.value("[a, b]", a=f"${child}", b=f"${below}") == [2, 3]


def test_the_type_of_an_unfinished_parent_is_checked_when_it_has_come(shared, tmp_path):
    gate, name, child = Gate(tmp_path), unique(), unique()
    shared.function(name, gate.code + "response = 'no table'")
    assert shared.post("/transform/projection", {"inputDatasetName": name, "outputDatasetName": child, "names": ["a"]}).status_code == 201
    gate.open()
    step = shared.ended(child)
    assert step["status"] == "failed"
    refused = shared.post("/transform/projection", {"inputDatasetName": name, "outputDatasetName": unique(), "names": ["a"]})
    assert refused.status_code == 406 and name in refused.json()["detail"]
    assert refused.json()["detail"] in step["exception"]


def test_a_type_given_before_the_data_has_come_is_what_later_steps_get(shared, tmp_path):
    gate, name, columns, child = Gate(tmp_path), unique(), unique(), unique()
    shared.function(name, gate.code + "import pandas\nresponse = pandas.DataFrame({'a': ['1', '2'], 'b': ['x', 'y']})")
    shared.post("/transform/projection", {"inputDatasetName": name, "outputDatasetName": columns, "names": ["a"]})
    assert shared.patch("/transform/dataType", {"inputDatasetName": columns, "types": {"a": "number"}}).status_code == 200
    shared.function(child, "response = float(x['a'].sum())", functionParameters={"x": f"${columns}"})
    gate.open()
    shared.finished(child)
    assert shared.value("x", x=f"${child}") == 3.0
