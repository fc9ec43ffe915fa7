"""What each method sends: verb, route, query, body. Against recorded answers."""

import asyncio
import io

import httpx
import pytest

from learning_orchestra import AsyncStep, Conflict, Expression, Literal, Reference, ServerUnreachable, Step

TOOLS = ("scikitlearn", "tensorflow")
MADE = (201, {"result": "/api/learningOrchestra/v1/a/b/c?query={}&limit=20&skip=0"})
CALL = {"parent": "line", "method": "fit", "parameters": {"X": "$x"}, "model": "m", "description": "d"}
CALLED = {"name": "n", "parentName": "line", "modelName": "m", "method": "fit", "methodParameters": {"X": "$x"}, "description": "d"}
BUILT = ("train", "test", "code", ["LR", "NB"])
BUILDER = {"trainDatasetName": "train", "testDatasetName": "test", "modelingCode": "code", "classifiersList": ["LR", "NB"]}
URL = "https://example.org/a.csv"


def cases():
    yield lambda c: c.dataset.csv("n", URL), "dataset/csv", {}, {"datasetName": "n", "datasetURI": URL}
    yield (lambda c: c.dataset.csv("n", URL, types="infer", delimiter=";", encoding="latin-1", headers=("a",), timeout=5),
           "dataset/csv", {}, {"datasetName": "n", "datasetURI": URL, "types": "infer", "delimiter": ";", "encoding": "latin-1",
                               "headers": ["a"], "timeout": 5})
    yield (lambda c: c.dataset.csv("n", b"a\n1\n", types={"a": "integer"}, labels={"k": "v"}),
           "dataset/csv", {"datasetName": "n", "types": '{"a": "integer"}', "labels": '{"k": "v"}'}, b"a\n1\n")
    yield lambda c: c.dataset.csv("n", io.BytesIO(b"a\n")), "dataset/csv", {"datasetName": "n"}, b"a\n"
    yield (lambda c: c.dataset.json("n", URL, types={"a": "string"}), "dataset/json", {},
           {"datasetName": "n", "datasetURI": URL, "types": {"a": "string"}})
    yield (lambda c: c.dataset.json("n", b"{}\n{}\n", encoding="utf-16"), "dataset/json", {"datasetName": "n", "encoding": "utf-16"}, b"{}\n{}\n")
    yield lambda c: c.dataset.parquet("n", URL), "dataset/parquet", {}, {"datasetName": "n", "datasetURI": URL}
    yield lambda c: c.dataset.parquet("n", b"PAR1"), "dataset/parquet", {"datasetName": "n"}, b"PAR1"
    yield lambda c: c.dataset.parquet("n", "s3://bucket/key"), "dataset/parquet", {}, {"datasetName": "n", "datasetURI": "s3://bucket/key"}
    yield (lambda c: c.dataset.sql("n", "shop", "SELECT 1"), "dataset/sql", {}, {"datasetName": "n", "connection": "shop", "query": "SELECT 1"})
    yield lambda c: c.dataset.generic("n", URL), "dataset/generic", {}, {"datasetName": "n", "datasetURI": URL}
    yield lambda c: c.dataset.generic("n", b"\0\xff"), "dataset/generic", {"datasetName": "n"}, b"\0\xff"
    yield (lambda c: c.transform.projection("n", "d", ("a", "b")), "transform/projection", {},
           {"inputDatasetName": "d", "outputDatasetName": "n", "names": ["a", "b"]})
    yield (lambda c: c.explore.histogram("n", Step(c, "dataset/csv", "d"), ["a"], bins=3), "explore/histogram", {},
           {"inputDatasetName": "d", "outputDatasetName": "n", "names": ["a"], "bins": 3})
    yield (lambda c: c.function.python("n", "response = x", {"x": 1}, nullable=True, retry={"maxAttempts": 2}, environment="e"),
           "function/python", {},
           {"name": "n", "function": "response = x", "functionParameters": {"x": 1}, "nullable": True, "retry": {"maxAttempts": 2}, "environment": "e"})
    for tool in TOOLS:
        yield (lambda c, tool=tool: getattr(c.model, tool)("n", "m.p", "C", {"a": Expression("f(1)")}), f"model/{tool}", {},
               {"modelName": "n", "modulePath": "m.p", "class": "C", "classParameters": {"a": "#f(1)"}})
        yield (lambda c, tool=tool: getattr(c.model, tool).load("n", URL, format="joblib"), f"model/{tool}", {},
               {"modelName": "n", "modelURI": URL, "format": "joblib"})
        for service in ("transform", "explore", "tune", "train", "predict", "evaluate"):
            yield (lambda c, service=service, tool=tool: getattr(getattr(c, service), tool)("n", **CALL), f"{service}/{tool}", {}, CALLED)
    yield (lambda c: c.evaluate.scikitlearn("n", module_path="sklearn.metrics", class_name="f1_score",
                                            parameters={"y": Step(c, "", "t")["a"]["b"]}), "evaluate/scikitlearn", {},
           {"name": "n", "modulePath": "sklearn.metrics", "class": "f1_score", "methodParameters": {"y": "$t.a.b"}})
    yield (lambda c: c.explore.scikitlearn("n", parent="p", method="m", hue=Step(c, "", "t"), figure={"width": 4}), "explore/scikitlearn",
           {}, {"name": "n", "parentName": "p", "method": "m", "methodParameters": {}, "hue": "$t", "figure": {"width": 4}})


@pytest.mark.parametrize(("call", "path", "query", "body"), list(cases()))
def test_each_service_posts_its_request(record, call, path, query, body):
    server = record(MADE)
    step = call(server.client())
    assert server.last == ("POST", path, query, body)
    assert (step.service, step.name) == (path, "n")

    async def awaited():
        async with record(MADE).async_client() as client:
            return await call(client)

    if b"a\n" != body:  # a file that was read to its end
        assert (asyncio.run(awaited()).name) == "n"


def test_async_sends_the_same(record):
    server = record(MADE)

    async def main():
        async with server.async_client() as client:
            await client.dataset.csv("n", b"a\n1\n", types={"a": "integer"})
            assert server.last == ("POST", "dataset/csv", {"datasetName": "n", "types": '{"a": "integer"}'}, b"a\n1\n")
            await client.train.scikitlearn("n", **CALL)
            assert server.last == ("POST", "train/scikitlearn", {}, CALLED)

    asyncio.run(main())


def test_a_model_file_is_uploaded_with_the_format_of_its_name(record, tmp_path):
    path = tmp_path / "m.joblib"
    path.write_bytes(b"x" * 3_000_000)
    server = record(MADE)
    server.client().model.scikitlearn.load("n", path)
    assert server.last == ("POST", "model/scikitlearn", {"modelName": "n", "format": "joblib"}, b"x" * 3_000_000)
    assert server.requests[-1].headers["Content-Length"] == "3000000"


def test_types_are_changed_in_place(record):
    server = record((200, {"result": "/x"}))
    step = server.client().transform.data_type("d", {"a": "number"})
    assert server.last == ("PATCH", "transform/dataType", {}, {"inputDatasetName": "d", "types": {"a": "number"}})
    assert step.name == "d"


def test_the_builder_gives_a_step_per_classifier(record):
    urls = [f"/api/learningOrchestra/v1/builder/sparkml/test{each}?query={{}}&limit=20&skip=0" for each in ("LR", "NB")]
    server = record((201, {"result": urls}))
    steps = server.client().builder.sparkml(*BUILT)
    assert server.last == ("POST", "builder/sparkml", {}, BUILDER)
    assert [(step.service, step.name) for step in steps] == [("builder/sparkml", "testLR"), ("builder/sparkml", "testNB")]
    assert steps["NB"].name == "testNB" and steps[0].name == "testLR" and len(steps[:1]) == 1
    with pytest.raises(KeyError, match="testLR"):
        steps["GB"]


OK = (200, {"result": "deleted file", "bytesFreed": 7})


@pytest.mark.parametrize(("call", "expected"), [
    (lambda s: s.cancel(), ("POST", "step/n/cancel", {}, None)),
    (lambda s: s.rerun(), ("POST", "step/n/rerun", {}, None)),
    (lambda s: s.rerun(cascade=True), ("POST", "step/n/rerun", {"cascade": "true"}, None)),
    (lambda s: s.delete(), ("DELETE", "function/python/n", {}, None)),
    (lambda s: s.delete(cascade=True), ("DELETE", "function/python/n", {"cascade": "true"}, None)),
    (lambda s: s.update(functionParameters={"x": Literal("$5"), "y": Literal("plain")}),
     ("PATCH", "function/python/n", {}, {"functionParameters": {"x": "\\$5", "y": "plain"}})),
    (lambda s: s.logs(), ("GET", "step/n/log", {}, None)),
])
def test_what_handles_send(record, call, expected):
    server = record(OK)
    call(Step(server.client(), "function/python", "n"))
    assert server.last == expected


def test_delete_gives_the_bytes_freed(record):
    assert Step(record(OK).client(), "function/python", "n").delete() == 7


def test_rows_are_asked_for_page_by_page_without_the_metadata(record):
    server = record((200, {"result": [{"_id": each} for each in range(1000)]}), (200, {"result": [{"_id": 1000}]}))
    assert len(Step(server.client(), "dataset/csv", "n").rows(limit=None)) == 1001
    assert [dict(request.url.params) for request in server.requests] == [
        {"query": "{}", "limit": "1000", "skip": "1"}, {"query": "{}", "limit": "1000", "skip": "1001"}]
    server = record((200, {"result": []}))
    Step(server.client(), "dataset/csv", "n").rows({"a": 1}, limit=5, skip=2)
    assert server.last[2] == {"query": '{"$and": [{"_id": {"$gt": 0}}, {"a": 1}]}', "limit": "5", "skip": "2"}


def test_a_profile_is_asked_of_the_service_of_the_step(record):
    server = record((200, {"result": {"rows": 3, "fields": []}}))
    assert Step(server.client(), "dataset/csv", "n").profile(["a", "b"], revision=2) == {"rows": 3, "fields": []}
    assert server.last[:3] == ("GET", "dataset/csv/n/profile", {"fields": "a,b", "revision": "2"})
    Step(server.client(), "transform/scikitlearn", "n").profile()
    assert server.last[:3] == ("GET", "transform/scikitlearn/n/profile", {})

    async def awaited():
        other = record((200, {"result": {"rows": 3, "fields": []}}))
        async with other.async_client() as client:
            assert await AsyncStep(client, "dataset/csv", "n").profile(["a"]) == {"rows": 3, "fields": []}
        assert other.last[:3] == ("GET", "dataset/csv/n/profile", {"fields": "a"})

    asyncio.run(awaited())


def test_lists(record):
    server = record((200, {"result": [{"name": "a", "type": "dataset/csv"}]}))
    assert [step.name for step in server.client().dataset.csv.list()] == ["a"]
    assert server.last[:3] == ("GET", "dataset/csv", {"limit": "1000", "skip": "0"})
    assert [step.service for step in server.client().steps(status="failed", label="k=v", stale=True, type="a/b", limit=3)] == ["dataset/csv"]
    assert server.last[:3] == ("GET", "step", {"type": "a/b", "status": "failed", "label": "k=v", "stale": "true", "limit": "3", "skip": "0"})


def test_parameters_that_json_cannot_say_are_refused_before_they_are_sent(record):
    server = record(MADE)
    with pytest.raises(TypeError, match="bytes"):
        server.client().function.python("n", "response = x", {"x": [b"1"]})
    with pytest.raises(ValueError, match="JSON"):
        server.client().function.python("n", "response = x", {"x": float("nan")})
    assert server.requests == []


def test_a_string_of_a_path_is_a_path(record, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\n1\n")
    server = record(MADE)
    server.client().dataset.csv("n", str(path))
    assert server.last[3] == b"a\n1\n"
    with pytest.raises(FileNotFoundError):
        server.client().dataset.csv("n", str(tmp_path / "none"))


def test_headers_and_url_of_the_caller_are_used(record):
    server = record(OK)
    server.client(headers={"Authorization": "Bearer t"}).ready()
    assert server.requests[-1].url == httpx.URL("http://orchestra/ready")
    assert server.requests[-1].headers["Authorization"] == "Bearer t"


def test_a_place_in_a_stored_list_is_an_entry():
    assert Reference("$split")[0]["text"].text == "$split.0.text"
    for key in (-1, True, "", "a.b", 1.0):
        with pytest.raises(TypeError, match="names or places"):
            Reference("$split")[key]


def keys(server):
    return [request.headers.get("Idempotency-Key") for request in server.requests]


def test_what_makes_something_has_a_key_of_its_own(record):
    server = record(MADE)
    client = server.client()
    client.function.python("a", "response = 1")
    client.dataset.csv("b", b"a\n1\n")
    Step(client, "function/python", "a").rerun()
    Step(client, "function/python", "a").update(function="response = 2")
    assert None not in keys(server) and len(set(keys(server))) == 4
    server = record(OK)
    Step(server.client(), "function/python", "a").delete()
    Step(server.client(), "function/python", "a").logs()
    assert keys(server) == [None, None]


BROKEN = httpx.ReadError("the connection broke off")


@pytest.mark.parametrize("trouble", [BROKEN, (409, {"detail": "under way"}, {"Retry-After": "0"}), (503, {"detail": "stopping"}, {"Retry-After": "0"})])
def test_a_post_is_sent_again_with_its_key_until_its_outcome_is_known(record, trouble, monkeypatch):
    monkeypatch.setattr("learning_orchestra._calls._PAUSE", 0.0)
    server = record(trouble, httpx.ConnectError("restarting") if trouble is BROKEN else trouble, MADE)
    server.client().function.python("n", "response = 1")
    assert len(server.requests) == 3 and len(set(keys(server))) == 1

    async def main():
        again = record(trouble, MADE)
        async with again.async_client() as client:
            await client.function.python("n", "response = 1")
        assert len(again.requests) == 2 and len(set(keys(again))) == 1

    asyncio.run(main())


def test_what_is_not_sent_again(record):
    for trouble, error, call in ((BROKEN, ServerUnreachable, lambda c: Step(c, "function/python", "n").delete()),
                                 (httpx.ConnectError("nobody"), ServerUnreachable, lambda c: c.function.python("n", "response = 1")),
                                 ((409, {"detail": "taken"}), Conflict, lambda c: c.function.python("n", "response = 1"))):
        server = record(trouble)
        with pytest.raises(error):
            call(server.client())
        assert len(server.requests) == 1
