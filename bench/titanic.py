import os
import pathlib
import subprocess
import tempfile
import time

from support import HOME, Server

CLASSIFIERS = ["LR", "DT", "GB", "RF", "NB"]
EXAMPLE = HOME / "examples" / "titanic"


def plain():
    """Seconds of the plain PySpark script from a cold start."""
    start = time.perf_counter()
    subprocess.run([os.environ["ORCHESTRA_SPARK_PYTHON"], HOME / "bench" / "titanic_plain.py"], check=True, capture_output=True)
    return time.perf_counter() - start


def load(server):
    for part, fields in (("train", ["PassengerId", "Survived"]), ("test", ["PassengerId"])):
        name = f"titanic_{part}"
        server.upload(name, (EXAMPLE / f"{name}.csv").read_bytes()).raise_for_status()
        numbers = [*fields, "Pclass", "Age", "SibSp", "Parch", "Fare"]
        body = {"inputDatasetName": name, "outputDatasetName": f"{name}_typed", "names": [*numbers, "Name", "Sex", "Embarked"]}
        server.post("/transform/projection", body).raise_for_status()
        server.patch("/transform/dataType", {"inputDatasetName": f"{name}_typed", "types": dict.fromkeys(numbers, "number")})


def build(server, name):
    """Seconds from the POST of a builder step to the end of its last classifier."""
    start = time.perf_counter()
    server.post("/builder/sparkml", {"name": name, "trainDatasetName": "titanic_train_typed", "testDatasetName": "titanic_test_typed",
                                     "modelingCode": (EXAMPLE / "modeling.py").read_text(),
                                     "classifiersList": CLASSIFIERS}).raise_for_status()
    for classifier in CLASSIFIERS:
        step = server.ended(name + classifier, timeout=600)
        assert step["status"] == "finished", step["exception"]
    return time.perf_counter() - start


def run():
    """Titanic through the API against a plain PySpark script from a cold start: seconds, and ratios to the script's median"""
    with tempfile.TemporaryDirectory() as folder:
        scripts, colds, warms = [], [], []
        for i in range(3):
            scripts.append(plain())
            start = time.perf_counter()
            with Server(pathlib.Path(folder) / f"data{i}") as server:
                load(server)
                build(server, "first")
                colds.append(time.perf_counter() - start)
                warms.append([build(server, name) for name in ("second", "third")])
    base = sorted(scripts)[1]
    rows = [("plain script, cold", scripts, "s", ""), ("API, cold with server start", colds, "s", ""),
            ("API, second builder step", [pair[0] for pair in warms], "s", ""), ("API, third", [pair[1] for pair in warms], "s", "")]
    return rows + [(f"ratio: {what}", [value / base for value in values], "", bound)
                   for (what, values, *_), bound in zip(rows[1:], ("at most 1.2", "at most 0.45", "at most 0.45"))]
