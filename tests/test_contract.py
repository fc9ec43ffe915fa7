"""The OpenAPI document against the running server: schemathesis makes requests from it, good and bad, and holds the answers to it."""

import os
import subprocess
import sys

import pytest
import schemathesis
from schemathesis.checks import load_all_checks

from support import PREFIX, unique

STREAMS = {"stream events", "observe step"}
SERVICES = ["dataset/csv", "dataset/json", "dataset/parquet", "dataset/sql", "dataset/generic", "transform/projection", "transform/dataType", "explore/histogram", "function/python", "builder/sparkml",
            *(f"{service}/{tool}" for service in ("model", "train", "predict", "evaluate", "tune", "transform", "explore")
              for tool in ("scikitlearn", "tensorflow"))]


PATIENCE = 3000 if os.environ.get("ORCHESTRA_LONG") else 500  # seconds


@pytest.mark.timeout(PATIENCE + 60)
def test_answers_are_what_the_document_says(fresh, tmp_path):
    """The same requests each time; with ORCHESTRA_LONG more of them, others each time, and a failure tells its seed."""
    chosen = ["--max-examples", "100"] if os.environ.get("ORCHESTRA_LONG") else ["--max-examples", "15", "--seed", "33"]
    excluded = [word for each in sorted(STREAMS) for word in ("--exclude-operation-id", each)]
    command = [sys.executable, "-m", "schemathesis.cli", "run", fresh.url + "/openapi.json", *chosen,
               "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
               *excluded, "--no-color", "--generation-database", "none",
               "--request-timeout", "60", "--phases", "examples,coverage,fuzzing",
               "--suppress-health-check", "filter_too_much"]  # of NDJSON and packed files it can make no bodies, and drops those cases
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path, env=dict(os.environ, PYTHONPATH=""))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert fresh.http.get("/ready").status_code == 200


@pytest.fixture(scope="module")
def steps(shared):
    """service → the name of a step that has finished. TensorFlow's and Spark's are left to their own tests."""
    names = {service: unique("contract") for service in SERVICES if not service.endswith(("tensorflow", "sparkml", "dataType"))}
    fit = {"X": [[0], [1], [2], [3]], "y": [0, 1, 0, 1]}
    call = {"modulePath": "sklearn.metrics", "class": "accuracy_score", "methodParameters": {"y_true": [1], "y_pred": [1]}}
    scale = {"modulePath": "sklearn.preprocessing", "class": "StandardScaler", "method": "fit_transform", "methodParameters": {"X": fit["X"]}}
    search = {"modulePath": "sklearn.model_selection", "class": "GridSearchCV", "method": "fit", "methodParameters": fit,
              "classParameters": {"estimator": "#sklearn.svm.SVC()", "param_grid": {"C": [1, 2]}, "cv": 2}}
    table, model = names["dataset/csv"], names["model/scikitlearn"]
    shared.upload(table, b"a,b\n1,x\n")
    shared.finished(table)
    for service, content in {"dataset/generic": b"any", "dataset/json": b'{"a": [1]}', "dataset/parquet": shared.get(f"/step/{table}/artifact").content}.items():
        shared.http.post(f"{PREFIX}/{service}", params={"datasetName": names[service]}, content=content,
                         headers={"Content-Type": "application/octet-stream"})
    made_of_table = {"inputDatasetName": table, "names": ["a"]}
    bodies = {"transform/projection": made_of_table | {"outputDatasetName": names["transform/projection"]},
              "explore/histogram": made_of_table | {"outputDatasetName": names["explore/histogram"]},
              "dataset/sql": {"datasetName": names["dataset/sql"], "connection": "sample", "query": "SELECT 1 AS a, 'x' AS b"},
              "function/python": {"function": "print('hello')\nresponse = 1"},
              "model/scikitlearn": {"modelName": model, "modulePath": "sklearn.svm", "class": "SVC"},
              "train/scikitlearn": {"parentName": model, "method": "fit", "methodParameters": fit},
              "predict/scikitlearn": {"parentName": names["train/scikitlearn"], "method": "predict", "methodParameters": {"X": [[1]]}},
              "evaluate/scikitlearn": call, "transform/scikitlearn": scale, "explore/scikitlearn": scale, "tune/scikitlearn": search}
    for service, body in bodies.items():
        named = not {"modelName", "outputDatasetName", "datasetName"} & body.keys()
        assert shared.post(f"/{service}", body | ({"name": names[service]} if named else {})).status_code == 201, service
    shared.patch("/transform/dataType", {"inputDatasetName": table, "types": {"a": "number"}})
    for name in names.values():
        shared.finished(name)
    flow = unique("contract")
    steps_of_flow = [{"service": "function/python", "name": unique("contract"), "function": "print('hello')\nresponse = 1"}]
    document = {"name": flow, "schedule": {"cron": "0 2 * * *", "misfire": "skip"}, "steps": steps_of_flow}
    assert shared.post("/workflow", document).status_code == 201
    shared.post("/observe", {"name": model})
    shared.post("/observe", {"name": model, "webhook": "http://127.0.0.1:1/hook"})
    return names | {"transform/dataType": table, "step": model, "observe": model, "workflow": flow}


def test_every_service_has_its_verbs_in_the_document(shared):
    paths = shared.http.get("/openapi.json").json()["paths"]
    for service in SERVICES:
        whole, one = f"{PREFIX}/{service}", f"{PREFIX}/{service}/{{name}}"
        changed = service.startswith(("model", "train", "predict", "evaluate", "tune", "function", "builder")) or service in (
            "transform/scikitlearn", "transform/tensorflow", "explore/scikitlearn", "explore/tensorflow")
        assert {"get", "delete"} <= paths[one].keys() and "get" in paths[whole], service
        assert ("post" in paths[whole]) == (service != "transform/dataType")
        assert not changed or "patch" in paths[one], service


def test_what_is_said_of_steps_that_exist_is_what_the_document_says(shared, steps):
    load_all_checks()
    schema = schemathesis.openapi.from_url(shared.url + "/openapi.json")
    called = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        service = operation.path.removeprefix(PREFIX + "/").partition("/{name}")[0]
        if operation.method.upper() != "GET" or operation.definition.raw["operationId"] in STREAMS or service not in steps:
            continue
        between = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-03T00:00:00Z"} if operation.path.endswith("/times") else {}
        case = operation.Case(path_parameters={"name": steps[service]} if "{name}" in operation.path else {}, query=between)
        answer = case.call()
        no_table = operation.path.endswith("/profile") and "rows" not in shared.step(steps[service])
        assert answer.status_code == (406 if no_table else 200), (operation.path, answer.text)
        case.validate_response(answer)
        called.add(service)
    assert called == steps.keys()


def test_a_webhook_is_made_shown_and_ended_as_the_document_says(shared):
    load_all_checks()
    paths = schemathesis.openapi.from_url(shared.url + "/openapi.json")
    body = {"webhook": "http://127.0.0.1:1/hook", "filter": {"type": "function/python", "event": "failed"}, "secret": "whsec_" + "A" * 32}
    made = paths[f"{PREFIX}/observe"]["POST"].Case(body=body, media_type="application/json").call_and_validate()
    assert made.status_code == 201, made.text
    name = made.json()["result"].rpartition("/")[2]
    for verb in ("GET", "DELETE"):
        assert paths[f"{PREFIX}/observe/{{name}}"][verb].Case(path_parameters={"name": name}).call_and_validate().status_code == 200


def test_every_result_is_a_file_of_a_documented_kind(shared, steps):
    load_all_checks()
    operation = schemathesis.openapi.from_url(shared.url + "/openapi.json")[f"{PREFIX}/step/{{name}}/artifact"]["GET"]
    formats = {"dataset/csv": ("csv", "parquet", "arrow"), "model/scikitlearn": ("joblib", "skops", "pickle"), "evaluate/scikitlearn": ("json",),
               "predict/scikitlearn": ("npy",)}
    kinds = set()
    for service in SERVICES:
        for wanted in (None, *formats.get(service, ())) if service in steps else ():
            answer = operation.Case(path_parameters={"name": steps[service]}, query={"format": wanted} if wanted else {}).call_and_validate()
            assert answer.status_code == 200, (service, wanted, answer.text)
            kinds.add(answer.headers["content-type"][0].partition(";")[0])
    assert kinds == {"application/octet-stream", "application/vnd.apache.parquet", "application/vnd.apache.arrow.file", "text/csv", "application/json",
                     "application/zip", "image/png"}
