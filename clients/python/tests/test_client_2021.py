"""The names of 2021: what each method sends and gives, against recorded answers."""

import importlib
import inspect
import json
import logging

import httpx
import pytest

from learning_orchestra_client import _service

DONE = {"name": "n", "status": "finished", "finished": True}
FAILED = DONE | {"status": "failed", "exception": "ValueError: boom"}
ACCEPTED = {"result": "/api/learningOrchestra/v1/x/y/n?query={}&limit=20&skip=0"}
TOOLS = {"scikitlearn": "ScikitLearn", "tensorflow": "Tensorflow"}
EXECUTION = {"name": "n", "model_name": "m", "parent_name": "p", "method_name": "fit", "parameters": {"X": "$x"}, "description": "d"}
EXECUTED = {"name": "n", "modelName": "m", "parentName": "p", "method": "fit", "methodParameters": {"X": "$x"}, "description": "d"}
CODE = "print(1)"

# module, class, route; then of each method that makes a step: its stem, arguments, verb, body, and what its sync form waits for
MAKING = [
    *((f"dataset.{tool}", name, f"dataset/{tool}", "insert_dataset", {"dataset_name": "n", "url": "u"}, "POST",
       {"datasetName": "n", "datasetURI": "u"}, ["n"]) for tool, name in (("csv", "DatasetCsv"), ("generic", "DatasetGeneric"))),
    ("transform.projection", "TransformProjection", "transform/projection", "remove_dataset_attributes",
     {"dataset_name": "d", "projection_name": "n", "fields": ["a"]}, "POST",
     {"inputDatasetName": "d", "outputDatasetName": "n", "names": ["a"]}, ["n"]),
    ("transform.data_type", "TransformDataType", "transform/dataType", "update_dataset_type",
     {"dataset_name": "n", "types": {"a": "number"}}, "PATCH", {"inputDatasetName": "n", "types": {"a": "number"}}, ["n"]),
    ("explore.histogram", "ExploreHistogram", "explore/histogram", "run_histogram",
     {"dataset_name": "d", "histogram_name": "n", "fields": ["a"]}, "POST",
     {"inputDatasetName": "d", "outputDatasetName": "n", "names": ["a"]}, ["n"]),
    ("function.python", "FunctionPython", "function/python", "run_function",
     {"name": "n", "parameters": {"x": 1}, "code": CODE, "description": "d"}, "POST",
     {"name": "n", "functionParameters": {"x": 1}, "function": CODE, "description": "d"}, ["n"]),
    ("builder.builder", "BuilderSparkMl", "builder/sparkml", "run_spark_ml",
     {"train_dataset_name": "a", "test_dataset_name": "b", "modeling_code": CODE, "model_classifiers": ["LR", "NB"]}, "POST",
     {"trainDatasetName": "a", "testDatasetName": "b", "modelingCode": CODE, "classifiersList": ["LR", "NB"]}, ["bLR", "bNB"]),
    *((f"model.{tool}", f"Model{suffix}", f"model/{tool}", "create_model",
       {"name": "n", "module_path": "m.p", "class_name": "C", "class_parameters": {"a": 1}, "description": "d"}, "POST",
       {"modelName": "n", "modulePath": "m.p", "class": "C", "classParameters": {"a": 1}, "description": "d"}, ["n"])
      for tool, suffix in TOOLS.items()),
    *((f"{service}.{tool}", f"{service.title()}{suffix}", f"{service}/{tool}", f"create_{verb}", EXECUTION, "POST", EXECUTED, ["n"])
      for tool, suffix in TOOLS.items()
      for service, verb in (("transform", "transform"), ("explore", "explore"), ("tune", "tune"), ("train", "training"),
                            ("predict", "prediction"), ("evaluate", "evaluate"))),
]

# module, class, route: the methods that list, show and delete
READING = [
    *((f"dataset.{tool}", name, f"dataset/{tool}", "search_all_datasets", "search_dataset_content", "delete_dataset")
      for tool, name in (("csv", "DatasetCsv"), ("generic", "DatasetGeneric"))),
    ("transform.projection", "TransformProjection", "transform/projection", "search_all_projections", "search_projection_content",
     "delete_projection"),
    ("transform.data_type", "TransformDataType", "transform/dataType", "search_all_datatype", "search_datatype_content", "delete_datatype"),
    ("explore.histogram", "ExploreHistogram", "explore/histogram", "search_all_histograms", "search_histogram_content", "delete_histogram"),
    ("function.python", "FunctionPython", "function/python", "search_all_executions", "search_execution_content", "delete_execution"),
    ("builder.builder", "BuilderSparkMl", "builder/sparkml", "search_all_builders", "search_builder_register_predictions",
     "delete_builder"),
    *((f"{service}.{tool}", f"{service.title()}{suffix}", f"{service}/{tool}", *methods)
      for tool, suffix in TOOLS.items()
      for service, methods in {
          "transform": ("search_all_transformations", "search_transform_content", "delete_transform"),
          "tune": ("search_all_tunes", "search_tune_content", "delete_tune"),
          "train": ("search_all_trainings", "search_training_content", "delete_training"),
          "predict": ("search_all_predictions", "search_prediction_content", "delete_prediction"),
          "evaluate": ("search_all_evaluates", "search_evaluate_content", "delete_evaluate"),
          "model": ("search_all_models", "search_model", "delete_model"),
          "explore": ("search_all_explores", "search_explore_metadata", "delete_explore"),
      }.items()),
]


@pytest.fixture
def connected(monkeypatch, record):
    """An object of a class of 2021 that talks to a recorder."""

    def connect(server, module, name):
        client = server.client()
        monkeypatch.setattr(_service, "connect", lambda cluster_ip: client)
        return getattr(importlib.import_module(f"learning_orchestra_client.{module}"), name)("http://orchestra")

    return connect


@pytest.mark.parametrize(("module", "name", "route", "stem", "arguments", "verb", "body", "waits"), MAKING)
def test_steps_are_made(record, connected, module, name, route, stem, arguments, verb, body, waits):
    server = record((201, ACCEPTED))
    service = connected(server, module, name)
    assert getattr(service, f"{stem}_async")(**arguments) == ACCEPTED
    assert server.last == (verb, route, {}, body) and len(server.requests) == 1
    text = getattr(service, f"{stem}_async")(**arguments, pretty_response=True)
    assert text == json.dumps(ACCEPTED, indent=4, sort_keys=True)

    server = record((201, ACCEPTED), (200, {"result": DONE}))
    service = connected(server, module, name)
    assert getattr(service, f"{stem}_sync")(**arguments) == ACCEPTED
    paths = [request.url.path.rpartition("/v1/")[2] for request in server.requests]
    assert paths == [route, *(f"observe/{each}" for each in waits)]


@pytest.mark.parametrize(("module", "name", "route", "stem", "arguments", "verb", "body", "waits"), MAKING)
def test_a_refusal_is_logged_and_not_waited_for(record, connected, caplog, module, name, route, stem, arguments, verb, body, waits):
    server = record((406, {"result": "missing fields"}))
    assert getattr(connected(server, module, name), f"{stem}_sync")(**arguments) == {}
    assert len(server.requests) == 1
    assert [(each.levelno, each.message) for each in caplog.records] == [(logging.WARNING, "missing fields")]
    assert getattr(connected(record((500, {"result": "oh"})), module, name), f"{stem}_sync")(**arguments) is None
    assert caplog.records[-1].levelno == logging.ERROR


@pytest.mark.parametrize(("module", "name", "route", "everything", "content", "delete"), READING)
def test_steps_are_listed_shown_and_deleted(record, connected, module, name, route, everything, content, delete):
    server = record((200, {"result": [DONE]}))
    service = connected(server, module, name)
    assert getattr(service, everything)() == {"result": [DONE]}
    assert server.last[:3] == ("GET", route, {})
    assert isinstance(getattr(service, everything)(pretty_response=True), str)

    method = getattr(service, content)
    takes = inspect.signature(method).parameters
    suffix = "/metadata" if content == "search_explore_metadata" else ""
    assert method("n") == {"result": [DONE]}
    assert server.last[:3] == ("GET", f"{route}/n{suffix}", {"query": "{}", "limit": "10", "skip": "0"})
    if "query" in takes:
        method("n", {"a": None}, 5, 2, True)
        assert server.last[2] == {"query": '{"a": null}', "limit": "5", "skip": "2"}

    getattr(service, delete)("n")
    assert server.last[:2] == ("DELETE", f"{route}/n")
    getattr(service, delete)("../n", pretty_response=True)
    assert server.requests[-1].url.raw_path.endswith(b"/..%2Fn")


@pytest.mark.parametrize(("module", "name"), [(each[0], each[1]) for each in READING])
def test_every_service_waits(record, connected, module, name):
    server = record((200, {"result": DONE}))
    service = connected(server, module, name)
    assert service.wait("n") == DONE and service.wait("n", 5) == DONE and service.wait("n", timeout=5) == DONE


def test_search_builder_gives_the_metadata_alone(record, connected):
    server = record((200, {"result": [DONE]}))
    connected(server, "builder.builder", "BuilderSparkMl").search_builder("n")
    assert server.last[2]["limit"] == "1"


def test_a_projection_that_cannot_be_deleted_raises(record, connected):
    service = connected(record((404, {"result": "none"})), "transform.projection", "TransformProjection")
    with pytest.raises(httpx.HTTPStatusError):
        service.delete_projection("n")


def test_a_picture_is_given_as_bytes(record, connected):
    service = connected(record((200, "png")), "explore.scikitlearn", "ExploreScikitLearn")
    assert service.search_explore_image("n") == b'"png"'
    service = connected(record((404, {"result": "not yet"})), "explore.scikitlearn", "ExploreScikitLearn")
    assert service.search_explore_image("n") == {}


def test_the_observer_gives_what_is_at_the_end_of_its_time(record, connected, caplog):
    running = DONE | {"status": "running", "finished": False}
    assert connected(record((200, {"result": running})), "observe.observe", "Observer").wait("n", 0) == running
    assert connected(record((200, {"result": FAILED})), "observe.observe", "Observer").wait("n") == FAILED
    assert "ValueError: boom" in caplog.text
    assert connected(record((404, {"result": "there is no n"})), "observe.observe", "Observer").wait("n") == {}


def test_a_pipe_is_observed_change_by_change(record, connected):
    events = [{"id": 6, "event": "accepted"}, {"id": 8, "event": "finished"}]
    server = record((200, {"result": DONE, "last": 5}), (200, {"result": DONE, "events": events, "last": 9}), (404, {"result": "gone"}))
    changes = connected(server, "observe.observe", "Observer").observe_pipe("n", 5)
    found = [(each["operationType"], each.get("fullDocument")) for each in changes]
    assert found == [("insert", DONE), ("update", DONE), ("delete", None)]
    assert [request.url.params.get("after") for request in server.requests] == [None, "5", "8"]


def test_one_connection_serves_all_objects_of_a_server():
    from learning_orchestra_client.dataset.csv import DatasetCsv
    from learning_orchestra_client.predict.tensorflow import PredictTensorflow

    first, second = DatasetCsv("10.0.0.1"), PredictTensorflow(cluster_ip="10.0.0.1")
    assert first._client is second._client and first._client.url == "http://10.0.0.1"
