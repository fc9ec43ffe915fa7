"""Values that would do harm in the server: they are refused, or run in a step's process only."""

import os
import pickle

import psutil
import pytest

from support import PREFIX, unique


def names(server):
    return {step["name"] for step in server.get("/step").json()["result"]}


def upload(server, content, **query):
    return server.http.post(f"{PREFIX}/model/scikitlearn", params=query, content=content, headers={"Content-Type": "application/octet-stream"})


SERVICES = ["model/scikitlearn", "model/tensorflow", "tune/scikitlearn", "evaluate/scikitlearn", "transform/tensorflow", "explore/scikitlearn"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("module, name", [("os", "system"), ("subprocess", "Popen"), ("builtins", "eval"), ("importlib", "import_module"),
                                          ("sys", "exit"), ("sklearn_evil", "x"), ("", "x"), ("sklearn.utils.os", "system"),
                                          ("sklearn..svm", "SVC"), ("../sklearn", "SVC"), ("orchestra_runtime.usercode", "run")])
def test_modules_that_are_no_tools_are_refused(shared, service, module, name):
    before = names(shared)
    key = "modelName" if service.startswith("model") else "name"
    answer = shared.post(f"/{service}", {key: unique(), "modulePath": module, "class": name, "classParameters": {"args": ["true"]}})
    assert answer.status_code == 406, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/modulePath"
    assert names(shared) == before


@pytest.mark.parametrize("body, pointer", [
    ({"modulePath": "sklearn.svm", "class": "__builtins__"}, "/class"),
    ({"modulePath": "sklearn.svm", "class": "SVX"}, "/class"),
    ({"modulePath": "sklearn.svm", "class": "SVC", "classParameters": {"c": 1}}, "/classParameters/c"),
    ({"modulePath": "sklearn.model_selection", "class": "GridSearchCV", "classParameters": {}}, "/classParameters"),
    ({"modulePath": "sklearn.svm", "class": "SVC", "classParameters": [1]}, "/classParameters"),
    ({"modulePath": "sklearn.svm", "class": 3}, "/class"),
    ({"modulePath": "sklearn.svm"}, "/class"),
    ({"modulePath": "sklearn.svm", "class": "SVC", "clasParameters": {}}, "/clasParameters"),
])
def test_calls_that_cannot_be_made_are_refused_before_they_are_accepted(shared, body, pointer):
    before = names(shared)
    answer = shared.post("/model/scikitlearn", {"modelName": unique()} | body)
    assert answer.status_code == 406 and pointer in [error["pointer"] for error in answer.json()["errors"]], answer.text
    assert names(shared) == before


@pytest.mark.parametrize("method, parameters, pointer", [
    ("fitt", {}, "/method"), ("__reduce__", {}, "/method"), ("__class__", {}, "/method"), ("_validate_data", {}, "/method"),
    ("fit", {"X": [[0]]}, "/methodParameters"), ("fit", {"X": [[0]], "y": [0], "z": 1}, "/methodParameters/z"),
])
def test_methods_that_a_model_does_not_have_are_refused(shared, method, parameters, pointer):
    model = unique("model")
    shared.made("/model/scikitlearn", {"modelName": model, "modulePath": "sklearn.svm", "class": "SVC"})
    answer = shared.post("/train/scikitlearn", {"name": unique(), "parentName": model, "method": method, "methodParameters": parameters})
    assert answer.status_code == 406 and answer.json()["errors"][0]["pointer"] == pointer, answer.text


def test_an_expression_runs_in_the_steps_process(shared, tmp_path):
    name = unique()
    marks = tmp_path / "marks"
    code = f"#__import__('os').system('echo $PPID >> {marks}') or __import__('os').getpid()"
    chain = "#().__class__.__mro__[1].__subclasses__() and __import__('os').getpid()"
    shared.function(name, "import os\nresponse = [a['deep'][0], b, os.getpid()]", functionParameters={"a": {"deep": [code]}, "b": chain})
    shared.finished(name)
    first, second, own = shared.value("x", x=f"${name}")
    assert first == second == own != shared.process.pid
    assert marks.read_text().split() == [str(own)]


class Evil:
    """Writes the process id to a file wherever it is loaded."""

    def __init__(self, path, then):
        self.path, self.then = path, then

    def __reduce__(self):
        return eval, (f"[open({str(self.path)!r}, 'a').write(str(__import__('os').getpid()) + chr(10)), {self.then}][1]",)


def lasting(server):
    """The server's own process and those that outlive steps."""
    return {server.process.pid, *(process.pid for process in psutil.Process(server.process.pid).children())}


def look_everywhere(server, service, name):
    for path in (f"/{service}/{name}", f"/{service}", f"/step/{name}", "/step", f"/step/{name}/log", f"/observe/{name}"):
        assert server.get(path).status_code == 200, path
    for query in ({}, {"format": "joblib"}, {"format": "json"}, {"format": "csv"}):
        assert server.get(f"/step/{name}/artifact", **query).status_code in (200, 406)
    assert server.get(f"/dataset/csv/{name}").status_code in (200, 404)


@pytest.mark.parametrize("then, status", [("__import__('sklearn.svm').svm.SVC()", "finished"), ("1", "failed")])
def test_a_pickle_that_executes_on_load_runs_in_steps_only(shared, tmp_path, then, status):
    name, marks = unique(), tmp_path / "marks"
    answer = upload(shared, pickle.dumps(Evil(marks, then)), modelName=name, format="joblib")
    assert answer.status_code == 201, answer.text
    assert shared.ended(name)["status"] == status
    if status == "finished":
        look_everywhere(shared, "model/scikitlearn", name)
    pids = set(map(int, marks.read_text().split()))
    assert pids and not pids & (lasting(shared) | {os.getpid()})


def test_a_result_that_executes_on_load_runs_in_steps_only(shared, tmp_path):
    name, marks = unique(), tmp_path / "marks"
    shared.function(name, f"""
class Evil:
  def __reduce__(self):
    return eval, ({f"[open({str(marks)!r}, 'a').write(str(__import__('os').getpid()) + chr(10)), 7][1]"!r},)
response = Evil()
""")
    shared.finished(name)
    look_everywhere(shared, "function/python", name)
    assert shared.value("x", x=f"${name}") == 7
    pids = set(map(int, marks.read_text().split()))
    assert pids and not pids & (lasting(shared) | {os.getpid()})


def test_a_step_cannot_reach_the_server_by_its_descriptors_or_its_environment(shared):
    assert shared.value("sorted(os.listdir('/proc/self/fd'))[:4] == ['0', '1', '2', '3'] and len(os.listdir('/proc/self/fd')) <= 5",
                        os="#os") is True
    assert [key for key in shared.value("sorted(os.environ)", os="#os") if "TOKEN" in key or "SECRET" in key] == []
