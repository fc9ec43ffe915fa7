"""GET /step/{name}/artifact: each kind of result as a native file, read back by the libraries that own the formats."""

import csv
import io
import json
import os
import subprocess
import zipfile

import pytest

from support import Gate, unique

READ = """
import json, sys
folder = sys.argv[1]
import joblib, numpy, pickle, pyarrow, pyarrow.parquet
from skops import io
found = {}
for name, load in {'joblib': joblib.load, 'pickle': lambda path: pickle.load(open(path, 'rb')),
                   'skops': lambda path: io.load(path, trusted=io.get_untrusted_types(file=path))}.items():
  found[name] = [type(m := load(f'{folder}/model.{name}')).__name__, round(float(m.predict([[2]])[0]), 6)]
array = numpy.load(f'{folder}/array.npy', allow_pickle=False)
found['npy'] = [str(array.dtype), array.tolist()]
found['parquet'] = pyarrow.parquet.read_table(f'{folder}/table.parquet').to_pylist()
found['arrow'] = pyarrow.ipc.open_file(f'{folder}/table.arrow').read_all().to_pylist()
print(json.dumps(found))
"""
ROWS = [{"n": 1.5, "t": "a,\"b", "l": [1, 2]}, {"n": None, "t": None, "l": []}]


@pytest.fixture(scope="module")
def results(shared):
    """A model, an array, a table and an object that JSON can say, by name."""
    names = {key: unique(key) for key in ("model", "array", "table", "object", "picture")}
    shared.function(names["model"], "from sklearn.linear_model import LinearRegression\nresponse = LinearRegression().fit([[0], [1]], [0, 3])")
    shared.function(names["array"], "import numpy\nresponse = numpy.array([[1, 2], [3, 4]], dtype='int16')")
    shared.function(names["table"], f"import pandas\nresponse = pandas.DataFrame({ROWS!r})")
    shared.function(names["object"], "response = {'a': [1, None, 'ü'], 'b': {'c': 2.5}}")
    shared.post("/explore/scikitlearn", {"name": names["picture"], "modulePath": "sklearn.preprocessing", "class": "StandardScaler",
                                         "method": "fit_transform", "methodParameters": {"X": [[0, 1], [2, 3]]}})
    for name in names.values():
        shared.finished(name)
    return names


def fetched(server, name, **query):
    answer = server.get(f"/step/{name}/artifact", **query)
    assert answer.status_code == 200, answer.text
    assert f'filename="{name}.{query["format"]}"' in answer.headers["content-disposition"]
    return answer


@pytest.fixture(scope="module")
def read(shared, results, tmp_path_factory):
    """What the libraries read from the files."""
    folder = tmp_path_factory.mktemp("artifacts")
    for key, kinds in {"model": ("joblib", "skops", "pickle"), "array": ("npy",), "table": ("parquet", "arrow")}.items():
        for kind in kinds:
            (folder / f"{key}.{kind}").write_bytes(fetched(shared, results[key], format=kind).content)
    done = subprocess.run([os.environ["ORCHESTRA_PYTHON"], "-c", READ, folder], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["joblib", "skops", "pickle"])
def test_a_model_is_read_by_its_library(read, kind):
    assert read[kind] == ["LinearRegression", 6.0]


def test_an_array_is_read_by_numpy(read):
    assert read["npy"] == ["int16", [[1, 2], [3, 4]]]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_table_is_read_by_arrow(read, kind):
    assert read[kind] == ROWS


def test_a_table_as_csv_and_json(shared, results):
    answer = fetched(shared, results["table"], format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert list(csv.reader(io.StringIO(answer.text))) == [["n", "t", "l"], ["1.5", 'a,"b', "[1, 2]"], ["", "", "[]"]]
    answer = fetched(shared, results["table"], format="json")
    assert (answer.headers["content-type"], answer.json()) == ("application/json", ROWS)


def test_an_object_as_json(shared, results):
    assert fetched(shared, results["object"], format="json").json() == {"a": [1, None, "ü"], "b": {"c": 2.5}}
    assert fetched(shared, results["array"], format="json").json() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("key, content_type, magic", [
    ("model", "application/octet-stream", b"\x80"),
    ("array", "application/octet-stream", b"\x93NUMPY"),
    ("table", "application/vnd.apache.parquet", b"PAR1"),
    ("object", "application/json", b"{"),
    ("picture", "image/png", b"\x89PNG"),
])
def test_without_a_format_it_comes_in_that_of_its_kind(shared, results, key, content_type, magic):
    answer = shared.get(f"/step/{results[key]}/artifact")
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.content.startswith(magic) and results[key] in answer.headers["content-disposition"]


def test_a_dataset_and_a_file_come_as_they_are(shared):
    table, file = unique(), unique()
    shared.upload(table, b"a,b\n1,x\n")
    shared.http.post("/api/learningOrchestra/v1/dataset/generic", params={"datasetName": file}, content=b"\x00any\xff",
                     headers={"Content-Type": "application/octet-stream"})
    shared.finished(table)
    shared.finished(file)
    assert shared.get(f"/step/{table}/artifact").content[:4] == b"PAR1"
    assert fetched(shared, table, format="csv").text.splitlines() in (["a,b", "1,x"], ['"a","b"', '"1","x"'])
    assert shared.get(f"/step/{file}/artifact").content == b"\x00any\xff"


@pytest.mark.parametrize("key, wanted, text", [("model", "csv", "csv"), ("table", "npy", "npy"), ("object", "keras", "keras"),
                                               ("model", "docx", "docx"), ("picture", "csv", "csv"), ("table", "zip", "zip")])
def test_a_format_that_does_not_fit_is_named(shared, results, key, wanted, text):
    answer = shared.get(f"/step/{results[key]}/artifact", format=wanted)
    assert answer.status_code == 406 and text in answer.json()["detail"], answer.text


def test_an_old_revision_is_fetched_by_its_number(shared):
    name = unique()
    shared.function(name, "response = {'x': 1}")
    shared.finished(name)
    shared.patch(f"/function/python/{name}", {"function": "response = {'x': 2}"})
    shared.finished(name)
    values = [shared.get(f"/step/{name}/artifact", format="json", **query).json()["x"] for query in ({}, {"revision": 1}, {"revision": 2})]
    assert values == [2, 1, 2]
    assert shared.get(f"/step/{name}/artifact", revision=3).status_code == 404


def test_what_is_not_there_yet_is_a_404_with_retry_after(shared, tmp_path):
    gate, name = Gate(tmp_path), unique()
    shared.function(name, gate.code + "response = 1")
    answer = shared.get(f"/step/{name}/artifact")
    assert answer.status_code == 404 and int(answer.headers["retry-after"]) >= 1
    gate.open()
    shared.finished(name)
    assert shared.get(f"/step/{name}/artifact", format="json").json() == 1
    assert shared.get("/step/nobody_at_all/artifact").status_code == 404


def test_a_network_is_a_keras_file(shared):
    name = unique()
    shared.function(name, "import keras\nresponse = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])")
    shared.finished(name)
    answer = fetched(shared, name, format="keras")
    assert "model.weights.h5" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert shared.get(f"/step/{name}/artifact").content[:4] == b"PK\x03\x04"


def test_an_export_leaves_nothing_behind(fresh):
    fresh.function("x", "import numpy\nresponse = numpy.arange(100_000)")
    fresh.finished("x")
    before = {path.name for path in (fresh.data / "store/objects").glob("*/*")}
    for kind in ("npy", "joblib", "json"):
        assert fresh.get("/step/x/artifact", format=kind).status_code == 200
    fresh.stop()
    assert {path.name for path in (fresh.data / "store/objects").glob("*/*")} == before
