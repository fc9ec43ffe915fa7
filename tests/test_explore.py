"""Pictures and histograms."""

import struct
import zlib

import pytest

from support import Gate, unique

PICTURES = """
import numpy, pandas
from matplotlib.figure import Figure
rng = numpy.random.RandomState(0)
frame = pandas.DataFrame({'a': rng.rand(20), 'b': rng.rand(20), 'kind': ['x', 'y'] * 10})
figure = Figure()
figure.subplots().plot([1, 2, 3])
response = {'x': rng.rand(20, 2), 'y': numpy.arange(20) % 2, 'frame': frame, 'figure': figure}
"""


def png(content):
    """Width, height and the number of different bytes of its pixels; every checksum is right."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    place, pixels, size = 8, b"", (0, 0)
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place:place + 8])
        data = content[place + 8:place + 8 + length]
        assert zlib.crc32(kind + data) == struct.unpack(">I", content[place + 8 + length:place + 12 + length])[0]
        if kind == b"IHDR":
            size = struct.unpack(">II", data[:8])
        if kind == b"IDAT":
            pixels += data
        place += 12 + length
    assert kind == b"IEND"
    return *size, len(set(zlib.decompress(pixels)))


@pytest.fixture(scope="module")
def data(shared):
    name = unique("pictures")
    shared.function(name, PICTURES)
    shared.finished(name)
    return name


def named(value, data):
    if isinstance(value, dict):
        return {key: named(each, data) for key, each in value.items()}
    return value.replace("DATA", data) if isinstance(value, str) else value


IDENTITY = "#lambda value: value"
DISPLAYS = {
    "array": {"modulePath": "sklearn.decomposition", "class": "PCA", "method": "fit_transform", "methodParameters": {"X": "$DATA.x"}},
    "array with colours": {"modulePath": "sklearn.preprocessing", "class": "StandardScaler", "method": "fit_transform",
                           "methodParameters": {"X": "$DATA.x"}, "hue": "$DATA.y"},
    "display object": {"modulePath": "sklearn.metrics", "class": "ConfusionMatrixDisplay", "method": "from_predictions",
                       "methodParameters": {"y_true": "$DATA.y", "y_pred": "$DATA.y"}},
    "frame": {"modulePath": "pandas", "class": "DataFrame", "classParameters": {"data": "$DATA.frame"}, "method": "describe"},
    "axes": {"modulePath": "pandas.plotting", "class": "scatter_matrix", "methodParameters": {"frame": "$DATA.frame"}},
    "figure": {"modulePath": "sklearn.preprocessing", "class": "FunctionTransformer", "classParameters": {"func": IDENTITY},
               "method": "transform", "methodParameters": {"X": "$DATA.figure"}},
    "curve": {"modulePath": "sklearn.metrics", "class": "roc_curve", "methodParameters": {"y_true": "$DATA.y", "y_score": "$DATA.y"}},
}


@pytest.mark.parametrize("body", DISPLAYS.values(), ids=DISPLAYS)
def test_what_a_call_gives_becomes_a_picture(shared, data, body):
    name = unique()
    shared.made("/explore/scikitlearn", named(body, data) | {"name": name})
    answer = shared.get(f"/explore/scikitlearn/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    width, height, shades = png(answer.content)
    assert (width, height) == (960, 720) and shades > 20
    again = shared.http.get(str(answer.request.url), headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_history_of_keras_becomes_a_picture(shared, data):
    model, name = unique(), unique()
    layers = ["#tensorflow.keras.layers.Input((2,))", "#tensorflow.keras.layers.Dense(1)"]
    shared.post("/model/tensorflow", {"modelName": model, "modulePath": "tensorflow.keras", "class": "Sequential",
                                      "classParameters": {"layers": layers}})
    compiled = unique()
    shared.post("/train/tensorflow", {"name": compiled, "parentName": model, "method": "compile", "methodParameters": {"loss": "mse"}})
    step = shared.made("/explore/tensorflow", {"name": name, "parentName": compiled, "method": "fit",
                                               "methodParameters": {"x": f"${data}.x", "y": f"${data}.y", "epochs": 3}})
    assert step["typeName"].endswith("History")
    assert png(shared.get(f"/explore/tensorflow/{name}").content)[2] > 20


def test_the_size_is_as_asked(shared, data):
    name = unique()
    shared.made("/explore/scikitlearn", named(DISPLAYS["array"], data) | {"name": name, "figure": {"width": 3, "height": 2, "dpi": 100}})
    assert png(shared.get(f"/explore/scikitlearn/{name}").content)[:2] == (300, 200)


def test_a_picture_that_is_not_ready_is_a_404_with_retry_after(shared, tmp_path):
    gate, parent, name = Gate(tmp_path), unique(), unique()
    shared.function(parent, gate.code + "response = [[0, 1], [1, 0], [2, 2]]")
    body = {"name": name, "modulePath": "sklearn.decomposition", "class": "PCA", "method": "fit_transform",
            "methodParameters": {"X": f"${parent}"}}
    assert shared.post("/explore/scikitlearn", body).status_code == 201
    answer = shared.get(f"/explore/scikitlearn/{name}")
    assert answer.status_code == 404 and int(answer.headers["retry-after"]) >= 1
    metadata, *executions = shared.get(f"/explore/scikitlearn/{name}/metadata").json()["result"]
    assert (metadata["finished"], metadata["status"], executions) == (False, "waiting", [])
    gate.open()
    shared.finished(name)
    assert png(shared.get(f"/explore/scikitlearn/{name}").content)


def test_the_last_good_picture_is_served_until_the_next_one_is_there(shared, tmp_path):
    gate, parent, name = Gate(tmp_path), unique(), unique()
    body = {"name": name, "modulePath": "sklearn.decomposition", "class": "PCA", "method": "fit_transform",
            "methodParameters": {"X": [[0, 1], [1, 0], [2, 2]]}}
    shared.made("/explore/scikitlearn", body)
    first = shared.get(f"/explore/scikitlearn/{name}").content
    shared.function(parent, gate.code + "response = [[0, 1], [1, 0], [2, 9], [3, 3]]")
    assert shared.patch(f"/explore/scikitlearn/{name}", {"methodParameters": {"X": f"${parent}"}}).status_code == 201
    assert shared.get(f"/explore/scikitlearn/{name}").content == first
    assert shared.get(f"/explore/scikitlearn/{name}/metadata").json()["result"][0]["finished"] is False
    gate.open()
    shared.finished(name)
    assert shared.get(f"/explore/scikitlearn/{name}").content != first
    assert shared.get(f"/explore/scikitlearn/{name}", revision=1).content == first


def test_a_picture_that_failed_is_a_404_for_good(shared):
    name = unique()
    shared.post("/explore/scikitlearn", {"name": name, "modulePath": "sklearn.decomposition", "class": "PCA", "method": "fit_transform",
                                         "methodParameters": {"X": [["a", "b"]]}})
    assert shared.ended(name)["status"] == "failed"
    answer = shared.get(f"/explore/scikitlearn/{name}")
    assert answer.status_code == 404 and "retry-after" not in answer.headers


def histogram(server, dataset, names, **more):
    name = unique()
    answer = server.post("/explore/histogram", {"inputDatasetName": dataset, "outputDatasetName": name, "names": names} | more)
    assert answer.status_code == 201, answer.text
    step = server.ended(name)
    return step, server.get(f"/explore/histogram/{name}").json()["result"]


def test_histograms_count_values_in_the_order_of_names(shared):
    dataset = unique()
    shared.upload(dataset, b"text,n,flag\nb,2,true\na,1,\nb,,false\nc,2,true\n", types='{"n": "number", "flag": "boolean"}')
    step, (metadata, *documents) = histogram(shared, dataset, ["n", "text", "flag"])
    assert step["status"] == "finished", step["exception"]
    assert (metadata["_id"], metadata["type"], metadata["parentDatasetName"]) == (0, "explore/histogram", dataset)
    assert documents == [
        {"n": [{"_id": 2, "count": 2}, {"_id": None, "count": 1}, {"_id": 1, "count": 1}], "_id": 1},
        {"text": [{"_id": "b", "count": 2}, {"_id": "a", "count": 1}, {"_id": "c", "count": 1}], "_id": 2},
        {"flag": [{"_id": True, "count": 2}, {"_id": None, "count": 1}, {"_id": False, "count": 1}], "_id": 3},
    ]
    assert shared.get("/explore/histogram").json()["result"][-1]["name"] == step["name"]
    assert shared.get(f"/explore/histogram/{step['name']}", skip=1, limit=1).json()["result"][0]["_id"] == 1
    assert shared.delete(f"/explore/histogram/{step['name']}").status_code == 200
    assert shared.get(f"/explore/histogram/{step['name']}").status_code == 404


@pytest.mark.parametrize("count", [10_000, 10_001])
def test_histograms_have_at_most_10000_values(shared, count):
    dataset = unique()
    shared.upload(dataset, b"n\n" + b"".join(b"%d\n" % i for i in range(count)), types='{"n": "integer"}')
    step, documents = histogram(shared, dataset, ["n"])
    if count == 10_000:
        assert len(documents[1]["n"]) == count and documents[1]["n"][0] == {"_id": 0, "count": 1}
    else:
        assert step["status"] == "failed" and "'n'" in step["exception"]
        step, documents = histogram(shared, dataset, ["n"], bins=10)
        assert [each["count"] for each in documents[1]["n"]] == [1000] * 9 + [1001]


@pytest.mark.parametrize("names, more, text", [(["Survivd"], {}, "Survived"), ([], {}, "names"), (["b"], {"bins": 0}, "bins"),
                                               (["b"], {"bin": 3}, "bins")])
def test_histograms_that_are_refused(shared, names, more, text):
    dataset = unique()
    shared.upload(dataset, b"Survived,b\n1,2\n")
    shared.ended(dataset)
    answer = shared.post("/explore/histogram", {"inputDatasetName": dataset, "outputDatasetName": unique(), "names": names} | more)
    assert answer.status_code == 406 and text in answer.json()["detail"]


def test_a_histogram_of_fields_that_do_not_come_fails(shared, tmp_path):
    gate, parent, name = Gate(tmp_path), unique(), unique()
    shared.function(parent, gate.code + "import pandas\nresponse = pandas.DataFrame({'Survived': [1]})")
    body = {"inputDatasetName": parent, "outputDatasetName": name, "names": ["Survivd"]}
    assert shared.post("/explore/histogram", body).status_code == 201
    gate.open()
    step = shared.ended(name)
    assert step["status"] == "failed" and "Survived" in step["exception"]
