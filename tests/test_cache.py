"""Results that are taken from an equal step instead of being made again."""

import pytest

from support import FileServer, Server, unique

COUNTED = """
import pathlib
path = pathlib.Path(counter)
path.write_text(path.read_text() + "x" if path.exists() else "x")
response = [len(path.read_text()), value]
"""


@pytest.fixture
def counter(tmp_path):
    return tmp_path / "runs"


def counted(server, name, counter, value=1, **more):
    parameters = {"counter": str(counter), "value": value}
    assert server.function(name, COUNTED, functionParameters=parameters, **more).status_code == 201
    return server.finished(name)


def test_a_hit_names_its_origin_and_has_its_result(shared, counter):
    first, second, third = unique(), unique(), unique()
    made = counted(shared, first, counter)
    taken = counted(shared, second, counter, cache="use", timeout=30, description="an equal one")
    assert taken["cache"] == {"name": first, "revision": 1}
    assert (taken["digest"], taken["cacheKey"]) == (made["digest"], made["cacheKey"])
    assert shared.value("x", x=f"${second}") == [1, 1]
    assert len(counter.read_text()) == 1
    assert "cache" not in counted(shared, third, counter, value=2, cache="use")
    assert len(counter.read_text()) == 2


def test_without_use_nothing_is_taken(shared, counter):
    counted(shared, unique(), counter)
    counted(shared, unique(), counter)
    counted(shared, unique(), counter, cache="off")
    assert len(counter.read_text()) == 3


def test_the_inputs_results_count_and_not_their_names(shared, counter):
    one = unique()
    shared.function(one, "response = 5")
    shared.finished(one)
    first = counted(shared, unique(), counter, value=f"${one}")
    assert "cache" in counted(shared, unique(), counter, value=f"${one}", cache="use")
    shared.patch(f"/function/python/{one}", {"function": "response = 6"})
    shared.finished(one)
    assert counted(shared, unique(), counter, value=f"${one}", cache="use")["cacheKey"] != first["cacheKey"]
    shared.patch(f"/function/python/{one}", {"function": "response = 2 + 3"})  # 5 again
    shared.finished(one)
    assert counted(shared, unique(), counter, value=f"${one}", cache="use")["cacheKey"] == first["cacheKey"]


def test_types_that_know_nulls_are_another_result(shared, counter):
    made = counted(shared, unique(), counter)
    asked = counted(shared, unique(), counter, cache="use", nullable=True)
    assert "cache" not in asked and asked["cacheKey"] != made["cacheKey"]
    assert "cache" in counted(shared, unique(), counter, cache="use", nullable=True)
    assert counted(shared, unique(), counter, cache="use", nullable=False)["cacheKey"] == made["cacheKey"]


def test_a_hit_outlives_its_origin(shared, counter):
    big = "import numpy\nresponse = numpy.full(50_000, 3.0)"
    first, second = unique(), unique()
    shared.function(first, big)
    shared.finished(first)
    shared.function(second, big, cache="use")
    assert shared.finished(second)["cache"]["name"] == first
    shared.delete(f"/function/python/{first}")
    assert shared.value("float(x.sum())", x=f"${second}") == 150_000
    shared.function(unique(), big, cache="use")


def test_builders_and_models_of_tools_are_taken_too(shared):
    first, second = unique(), unique()
    body = {"modulePath": "sklearn.linear_model", "class": "LogisticRegression", "classParameters": {"C": 0.25}}
    shared.made("/model/scikitlearn", body | {"modelName": first})
    made = shared.made("/model/scikitlearn", body | {"modelName": second, "cache": "use"})
    assert made["cache"] == {"name": first, "revision": 1}


def test_a_dataset_is_taken_while_its_url_says_that_it_is_the_same(shared):
    version, content, downloads = {"etag": '"1"'}, {"text": "a,b\n1,2\n"}, []

    def answer(request):
        body = content["text"].encode()
        request.send_response(200)
        if version["etag"]:
            request.send_header("ETag", version["etag"])
        request.send_header("Content-Type", "text/csv")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command != "HEAD":
            downloads.append(request.path)
            request.wfile.write(body)

    with FileServer(answer) as files:
        def load(**more):
            name = unique()
            return shared.made("/dataset/csv", {"datasetName": name, "datasetURI": files.url + "/data.csv", "cache": "use"} | more)

        first = load()
        assert load()["cache"]["name"] == first["name"]
        assert len(downloads) == 1
        version["etag"], content["text"] = '"2"', "a,b\n3,4\n"
        second = load()
        assert "cache" not in second and second["digest"] != first["digest"]
        version["etag"] = ""
        assert "cache" not in load() and "cache" not in load()
        assert len(downloads) == 4


def test_a_cascade_runs_only_what_has_other_inputs(shared, counter):
    top, middle, bottom = unique(), unique(), unique()
    shared.function(top, "response = 4")
    shared.function(middle, "response = x > 0", functionParameters={"x": f"${top}"})
    counted(shared, bottom, counter, value=f"${middle}")
    shared.http.patch(f"/api/learningOrchestra/v1/function/python/{top}", params={"cascade": "true"}, json={"function": "response = 5"})
    step = shared.until(bottom, lambda step: step["revision"] == 2 and step["finished"])
    assert shared.step(middle)["revision"] == 2 and "cache" not in shared.step(middle)
    assert step["cache"] == {"name": bottom, "revision": 1}
    assert len(counter.read_text()) == 1
    shared.post(f"/step/{bottom}/rerun", None)  # who asks for a run gets one
    shared.until(bottom, lambda step: step["revision"] == 3 and step["finished"])
    assert len(counter.read_text()) == 2


def test_hits_survive_a_kill(tmp_path, counter):
    with Server(tmp_path / "data") as server:
        counted(server, "first", counter)
        server.kill()
        server.start()
        assert counted(server, "second", counter, cache="use")["cache"]["name"] == "first"


def test_another_word_is_refused(shared):
    answer = shared.function(unique(), "response = 1", cache="maybe")
    assert answer.status_code == 406 and answer.json()["errors"][0]["pointer"] == "/cache"
    assert answer.json()["result"] == 'cache must be "off" or "use", not "maybe"'
