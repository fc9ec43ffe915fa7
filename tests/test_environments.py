"""Environments of the user's own: made once, locked, shared by digest; steps that name one run there."""

import base64
import hashlib
import io
import zipfile

import pytest

from support import Server

CLASS = "class Doubler:\n    def __init__(self, factor=2):\n        self.factor = factor\n    def predict(self, X):\n        return [self.factor * x for x in X]\n"


def wheel(name, version, code):
    """A wheel of one module."""
    files = {f"{name}.py": code,
             f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
             f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    digests = {path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode() for path, text in files.items()}
    record = f"{name}-{version}.dist-info/RECORD"
    files[record] = "".join(f"{path},sha256={digest},{len(files[path])}\n" for path, digest in digests.items()) + f"{record},,\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return content.getvalue()


def store(server, name, content):
    answer = server.http.post("/api/learningOrchestra/v1/dataset/generic", params={"datasetName": name}, content=content,
                              headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("environments") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def private(server):
    store(server, "doubling_wheel", wheel("doubling", "1.2", CLASS))
    answer = server.post("/environment", {"name": "private", "requirements": ["$doubling_wheel"]})
    assert answer.status_code == 201, answer.text
    return server.ended("private", timeout=300)


def test_a_private_wheel_is_installed_and_locked(private):
    assert private["status"] == "finished", private
    assert private["packages"] == {"doubling": "1.2"}
    assert private["modules"] == ["doubling"]
    assert private["environmentDigest"]


def test_a_step_that_names_it_runs_there(server, private):
    code = "import doubling, numpy\nresponse = {'file': doubling.__file__, 'sum': int(numpy.arange(4).sum())}"
    assert server.function("inside", code, environment="private").status_code == 201
    assert server.ended("inside")["status"] == "finished", server.step("inside")["exception"]
    assert server.step("inside")["environment"] == "private"
    server.function("outside", code)
    assert "No module named 'doubling'" in server.ended("outside")["exception"]


def test_tools_may_call_what_it_brings(server, private):
    body = {"modelName": "doubler", "modulePath": "doubling", "class": "Doubler", "classParameters": {"factor": 3}}
    assert server.post("/model/scikitlearn", body).status_code == 406
    assert server.post("/model/scikitlearn", body | {"environment": "private"}).status_code == 201
    assert server.ended("doubler")["status"] == "finished", server.step("doubler")["exception"]
    server.post("/predict/scikitlearn", {"name": "doubled", "parentName": "doubler", "method": "predict", "methodParameters": {"X": [1, 2]},
                                         "environment": "private"})
    assert server.ended("doubled")["status"] == "finished", server.step("doubled")["exception"]
    server.function("look", "response = {'x': x}\nprint(x)", functionParameters={"x": "$doubled"})
    server.ended("look")
    assert server.get("/step/look/log").text == "[3, 6]\n"


def test_equal_ones_are_one(server, private):
    server.post("/environment", {"name": "same", "requirements": ["$doubling_wheel"]})
    same = server.ended("same", timeout=300)
    assert same["environmentDigest"] == private["environmentDigest"]
    assert len([each for each in (server.data / "environments").iterdir() if not each.name.startswith(".")]) == 1


def test_steps_wait_for_it_and_it_cannot_go_before_them(server, private):
    store(server, "waiting_wheel", wheel("waiting", "1", "value = 7\n"))
    server.post("/environment", {"name": "slow", "requirements": ["$waiting_wheel"]})
    server.function("early", "import waiting\nresponse = waiting.value", environment="slow")
    assert server.ended("early", timeout=300)["status"] == "finished"
    assert server.delete("/environment/slow").status_code == 409
    assert server.delete("/environment/slow", cascade="true").status_code == 200


def test_its_files_go_with_the_last_step_that_made_it(fresh):
    for name, value in (("kept", 1), ("gone", 2)):
        store(fresh, f"{name}_wheel", wheel(name, "1", f"value = {value}\n"))
        fresh.post("/environment", {"name": name, "requirements": [f"${name}_wheel"]})
    digests = {name: fresh.finished(name, timeout=300)["environmentDigest"] for name in ("kept", "gone")}
    assert fresh.delete("/environment/gone").status_code == 200
    fresh.stop()
    fresh.start()
    assert [each.name for each in (fresh.data / "environments").iterdir()] == [digests["kept"]]
    assert fresh.function("inside", "import kept\nresponse = kept.value", environment="kept").status_code == 201
    fresh.finished("inside")


@pytest.mark.parametrize(("change", "pointer"), [
    ({"requirements": []}, "/requirements"),
    ({"requirements": ["--index-url=http://127.0.0.1"]}, "/requirements/0"),
    ({"requirements": ["a\nb"]}, "/requirements/0"),
    ({"requirements": ["$absent"]}, "/requirements/0"),
    ({"requirements": "xgboost"}, "/requirements"),
    ({"requirements": ["x"], "indexURL": "file:///etc"}, "/indexURL"),
])
def test_what_is_no_requirement_is_refused(server, change, pointer):
    answer = server.post("/environment", {"name": "refused", **change})
    assert answer.status_code == 406
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert server.get("/step/refused").status_code == 404


def test_what_cannot_be_installed_fails_with_pips_own_words(server):
    server.post("/environment", {"name": "conflicting", "requirements": ["numpy<1"]})
    step = server.ended("conflicting", timeout=300)
    assert (step["status"], step["reason"]) == ("failed", "error")
    assert "numpy" in step["exception"]
    store(server, "no_wheel", b"just bytes")
    server.post("/environment", {"name": "broken", "requirements": ["$no_wheel"]})
    assert "requirements[0]: the file is no wheel" in server.ended("broken")["exception"]


def test_a_step_cannot_run_in_what_is_no_environment(server):
    server.function("plain", "response = 1")
    answer = server.function("lost", "response = 1", environment="plain")
    assert answer.status_code == 406
    assert answer.json()["errors"] == [{"pointer": "/environment", "detail": '"plain" is no environment but a function/python step'}]
    assert server.function("lost", "response = 1", environment="absent").status_code == 406


@pytest.mark.long
def test_xgboost(server):
    server.post("/environment", {"name": "boosting", "requirements": ["xgboost-cpu"]})
    assert server.ended("boosting", timeout=600)["status"] == "finished"
    data = "from sklearn.datasets import load_iris\nX, y = load_iris(return_X_y=True)\nresponse = {'X': X, 'y': y}"
    server.function("iris", data)
    xs, ys, here = {"X": "$iris.X"}, {"y": "$iris.y"}, {"environment": "boosting"}
    server.post("/model/scikitlearn", {"modelName": "booster", "modulePath": "xgboost", "class": "XGBClassifier",
                                       "classParameters": {"n_estimators": 5}, **here})
    server.post("/train/scikitlearn", {"name": "boosted", "parentName": "booster", "method": "fit", "methodParameters": xs | ys, **here})
    server.post("/evaluate/scikitlearn", {"name": "boosting_score", "parentName": "boosted", "method": "score", "methodParameters": xs | ys,
                                          **here})
    assert server.ended("boosting_score", timeout=300)["metrics"]["score"] > 0.9
