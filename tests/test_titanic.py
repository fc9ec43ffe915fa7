"""The example, as a newcomer runs it, and its numbers against plain PySpark."""

import concurrent.futures
import json
import os
import re
import subprocess

import pytest

from support import BINARY, HOME, Server

pytestmark = pytest.mark.spark
CLASSIFIERS = ("LR", "DT", "GB", "RF", "NB")
STEPS = 4 + len(CLASSIFIERS)


def run(workflow, *options):
    return subprocess.run([BINARY, "run", workflow, *options], capture_output=True, text=True, timeout=600,
                          env=dict(os.environ, ORCHESTRA_HOME=str(HOME), NO_COLOR="1"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The data folder after the example has run in it once."""
    folder = tmp_path_factory.mktemp("titanic") / "data"
    done = run(HOME / "examples/titanic/workflow.yaml", "--data", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done


def table(output):
    """name → state and what was done, of the table at the end."""
    return {line.split()[0]: line.split()[2:4] for line in output.splitlines() if re.match(r"titanic\S* +\w+/\w+ ", line)}


def test_the_example_runs_and_ends_with_a_table_of_results(finished):
    rows = table(finished[1].stdout)
    assert len(rows) == STEPS
    assert set(map(tuple, rows.values())) == {("finished", "created")}


def test_typed_twice_it_runs_nothing(finished):
    again = run(HOME / "examples/titanic/workflow.yaml", "--data", finished[0])
    assert again.returncode == 0
    assert set(map(tuple, table(again.stdout).values())) == {("finished", "reused")}


def test_a_changed_step_runs_again_with_its_descendants_only(finished, tmp_path):
    text = (HOME / "examples/titanic/workflow.yaml").read_text()
    for name in ("titanic_train.csv", "titanic_test.csv", "modeling.py"):
        (tmp_path / name).symlink_to(HOME / "examples/titanic" / name)
    changed = tmp_path / "workflow.yaml"
    changed.write_text(text.replace("[LR, DT, GB, RF, NB]", "[NB]").replace("Fare, Embarked]", "Embarked, Fare]"))
    done = run(changed, "--data", finished[0])
    assert done.returncode == 0, done.stdout + done.stderr
    rows = table(done.stdout)
    assert rows["titanic_training"] == ["finished", "reused"]
    assert rows["titanic_training_projection"][1] != "reused" and rows["titanicNB"][1] != "reused"


def test_metrics_equal_those_of_plain_pyspark_to_the_last_digit(finished, tmp_path):
    with Server(finished[0]) as server:
        steps = {name: server.step(f"titanic{name}") for name in CLASSIFIERS}
        parents = {parent["name"]: parent["revision"] for parent in steps["LR"]["parents"]}
        paths = {name: export(server, name, revision, tmp_path) for name, revision in parents.items()}
    plain = subprocess.run([os.environ["ORCHESTRA_SPARK_PYTHON"], HOME / "bench/titanic_plain.py", "--parquet",
                            paths["titanic_training_projection"], paths["titanic_testing_projection"]],
                           capture_output=True, text=True, timeout=600)
    assert plain.returncode == 0, plain.stderr[-3000:]
    expected = {item["classifier"]: item for item in find_metrics(plain.stdout)}
    for name, step in steps.items():
        assert (step["F1"], step["accuracy"]) == (str(expected[name]["F1"]), str(expected[name]["accuracy"])), name
        assert float(step["accuracy"]) >= (0.58 if name == "NB" else 0.76)
        assert step["metrics"] == {"F1": float(step["F1"]), "accuracy": float(step["accuracy"])}


def find_metrics(output):
    body = json.loads(output[output.index("{"):])
    return [dict(value, classifier=key) for key, value in body["classifiers"].items()]


def export(server, name, revision, folder):
    """The Parquet file of a revision, by its digest in the store."""
    import sqlite3

    with sqlite3.connect(f"file:{server.data}/catalog.sqlite?mode=ro", uri=True) as catalog:
        (result,) = catalog.execute("SELECT result FROM revision JOIN step ON step.id = revision.step WHERE name = ? AND revision = ?",
                                    (name, revision)).fetchone()
    (part,) = json.loads(result)["parts"]
    path = folder / f"{name}.parquet"
    if "inline" in part:
        import base64

        path.write_bytes(base64.b64decode(part["inline"]))
    else:
        path.write_bytes((server.data / "store/objects" / part["digest"][:2] / part["digest"]).read_bytes())
    return path


def test_predictions_are_rows(finished):
    with Server(finished[0]) as server:
        body = server.get("/builder/sparkml/titanicLR", limit=3).json()["result"]
        assert body[0]["_id"] == 0 and body[0]["classifier"] == "LR" and body[0]["fitTime"] > 0
        assert body[0]["parentDatasetName"] == ["titanic_training_projection", "titanic_testing_projection"]
        row = body[1]
        assert row["_id"] == 1 and row["prediction"] in (0, 1)
        assert len(row["probability"]) == 2 and abs(sum(row["probability"]) - 1) < 1e-9
        assert not {"features", "rawPrediction"} & set(row)


def post_all(server, titanic, code=None):
    """The whole graph at once, each step after the names it uses."""
    for part in ("train", "test"):
        name = f"titanic_{part}ing"
        assert server.upload(name, (titanic / f"titanic_{part}.csv").read_bytes()).status_code == 201
        fields = ["PassengerId", "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]
        numbers = {"PassengerId", "Pclass", "Age", "SibSp", "Parch", "Fare"}
        if part == "train":
            fields.append("Survived")
            numbers.add("Survived")
        body = {"inputDatasetName": name, "outputDatasetName": f"{name}_projection", "names": fields}
        assert server.post("/transform/projection", body).status_code == 201
        types = {"inputDatasetName": f"{name}_projection", "types": {field: "number" for field in numbers}}
        assert server.patch("/transform/dataType", types).status_code == 200
    body = {"trainDatasetName": "titanic_training_projection", "testDatasetName": "titanic_testing_projection", "name": "titanic",
            "modelingCode": code or (titanic / "modeling.py").read_text(), "classifiersList": list(CLASSIFIERS)}
    answer = server.post("/builder/sparkml", body)
    assert answer.status_code == 201 and len(answer.json()["result"]) == len(CLASSIFIERS)


def test_a_kill_in_the_middle_loses_and_doubles_nothing(tmp_path, titanic):
    with Server(tmp_path / "data") as server:
        post_all(server, titanic)
        server.until("titanicLR", lambda step: step["status"] == "running")
        server.kill()
        server.start()
        for name in CLASSIFIERS:
            step = server.ended(f"titanic{name}", timeout=300)
            assert step["status"] == "finished", step
            assert [revision["status"] for revision in step["revisions"]] == ["finished"]
            assert step["attempts"] == 2
        names = [step["name"] for step in server.get("/step").json()["result"]]
        assert len(names) == len(set(names)) == STEPS


def test_one_classifier_is_cancelled_and_the_others_finish(tmp_path, titanic):
    with Server(tmp_path / "data") as server:
        post_all(server, titanic)
        server.until("titanicGB", lambda step: step["status"] == "running")
        assert server.http.post("/api/learningOrchestra/v1/step/titanicGB/cancel").status_code == 200
        assert server.step("titanicGB")["status"] == "cancelled"
        for name in ("LR", "DT", "RF", "NB"):
            assert server.ended(f"titanic{name}", timeout=300)["status"] == "finished"


def test_failing_modeling_code_fails_all_and_shows_the_line(tmp_path, titanic):
    with Server(tmp_path / "data") as server:
        post_all(server, titanic, code="x = 1\nraise ValueError('no features today')\n")
        for name in CLASSIFIERS:
            step = server.ended(f"titanic{name}", timeout=300)
            assert (step["status"], step["reason"]) == ("failed", "error")
            assert step["exception"] == "ValueError: no features today"


def test_a_killed_spark_server_fails_its_steps_and_is_replaced(tmp_path, titanic):
    with Server(tmp_path / "data") as server:
        post_all(server, titanic)
        server.progress_until("titanicGB", lambda progress: progress.get("phase") == "fitting")
        spark_of(server).kill()
        for name in CLASSIFIERS:
            step = server.ended(f"titanic{name}", timeout=300)
            assert step["status"] == "failed" and step["reason"] in ("killed", "error") and step["exception"]
        assert server.patch("/builder/sparkml/titanicNB", {}).status_code == 201
        assert server.ended("titanicNB", timeout=300)["status"] == "finished"
        assert server.http.get("/ready").status_code == 200


def spark_of(server):
    return next((process for process in server.descendants() if process.name() == "java"), None)


def test_two_workflows_at_once_do_not_disturb_each_other(finished):
    with Server(finished[0]) as server, concurrent.futures.ThreadPoolExecutor(4) as pool:
        names = [f"parallel{i}" for i in range(8)]
        list(pool.map(lambda name: server.function(name, "response = sum(range(1000))"), names))
        assert {server.ended(name)["status"] for name in names} == {"finished"}
