"""Tables and files between engines: functions, tools, Spark."""

import io
import json
import zipfile

import pandas
import pyarrow.csv
import pyarrow.parquet
import pytest

from support import PREFIX, FileServer, serving, unique

FRAME = """
import pandas
response = pandas.DataFrame({'x1': [float(i % 7) for i in range(60)], 'x2': [float(i % 3) for i in range(60)],
                             'label': [float(i % 7 > 3) for i in range(60)]})
"""
MODELING = """
from pyspark.ml.feature import VectorAssembler
assembler = VectorAssembler(inputCols=['x1', 'x2'], outputCol='features')
features_training = assembler.transform(training_df)
features_evaluation, features_testing = features_training, assembler.transform(testing_df)
"""
MANY = """
import numpy, pandas
response = pandas.DataFrame(numpy.random.default_rng(33).random((400_000, 3)), columns=['x1', 'x2', 'x3'])
"""


def file_upload(server, name, content, verb="POST", path="/dataset/generic"):
    return server.http.request(verb, PREFIX + path, params={"datasetName": name} if verb == "POST" else {}, content=content,
                               headers={"Content-Type": "application/octet-stream"})


@pytest.mark.parametrize("code", [
    "import pandas\nresponse = pandas.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "import pyarrow\nresponse = pyarrow.table({'a': [1, 2], 'b': ['x', None]})",
])
def test_frames_of_a_function_are_datasets(shared, code):
    name, columns, counts = unique(), unique(), unique()
    shared.function(name, code)
    step = shared.finished(name)
    assert (step["rows"], step["fields"]) == (2, ["a", "b"])
    assert shared.rows(name) == [{"_id": 1, "a": 1, "b": "x"}, {"_id": 2, "a": 2, "b": None}]
    shared.made("/transform/projection", {"inputDatasetName": name, "outputDatasetName": columns, "names": ["a"]})
    assert shared.patch("/transform/dataType", {"inputDatasetName": columns, "types": {"a": "string"}}).status_code == 200
    shared.finished(columns)
    assert shared.rows(columns)[0] == {"_id": 1, "a": "1"}
    shared.made("/explore/histogram", {"inputDatasetName": name, "outputDatasetName": counts, "names": ["b"]})
    assert shared.get(f"/explore/histogram/{counts}").json()["result"][1]["b"] == [{"_id": None, "count": 1}, {"_id": "x", "count": 1}]


def test_frames_of_tools_are_datasets(shared):
    made, fitted, scaled = unique(), unique(), unique()
    shared.function(made, "from sklearn.preprocessing import StandardScaler\nresponse = StandardScaler().set_output(transform='pandas')")
    table = unique()
    shared.function(table, FRAME)
    step = shared.made("/transform/scikitlearn", {"name": scaled, "parentName": made, "method": "fit_transform",
                                                  "methodParameters": {"X": f"${table}"}})
    assert (step["rows"], step["fields"]) == (60, ["x1", "x2", "label"])
    assert shared.rows(scaled)[0].keys() == {"_id", "x1", "x2", "label"}
    step = shared.made("/transform/scikitlearn", {"name": fitted, "modulePath": "pandas", "class": "get_dummies",
                                                  "methodParameters": {"data": f"${table}", "columns": ["x2"]}})
    assert {"x2_0.0", "x2_1.0"} <= set(step["fields"])


def test_datasets_train_models_column_by_column(shared):
    table, model, trained = unique(), unique(), unique()
    shared.upload(table, b"x,y\n1,2\n2,4\n3,6\n")
    shared.patch("/transform/dataType", {"inputDatasetName": table, "types": {"x": "number", "y": "number"}})
    shared.post("/model/scikitlearn", {"modelName": model, "modulePath": "sklearn.linear_model", "class": "LinearRegression"})
    columns = unique()
    shared.post("/transform/projection", {"inputDatasetName": table, "outputDatasetName": columns, "names": ["x"]})
    shared.made("/train/scikitlearn", {"name": trained, "parentName": model, "method": "fit",
                                       "methodParameters": {"X": f"${columns}", "y": f"${table}.y"}})
    assert shared.value("round(float(m.coef_[0]), 6)", m=f"${trained}") == 2.0


@pytest.mark.spark
def test_a_frame_of_a_function_goes_through_spark_and_back(shared):
    table, name, plot, after = unique("frame"), unique("spark"), unique(), unique()
    shared.function(table, FRAME)
    answer = shared.post("/builder/sparkml", {"trainDatasetName": table, "testDatasetName": table, "name": name,
                                              "modelingCode": MODELING, "classifiersList": ["NB", "DT"]})
    assert answer.status_code == 201, answer.text
    shared.finished(f"{name}DT", timeout=240)
    shared.function(after, "response = [type(p).__name__, len(p), sorted(set(p['prediction'])), len(p['probability'][0])]",
                    functionParameters={"p": f"${name}DT"})
    shared.finished(after)
    assert shared.value("x", x=f"${after}") == ["DataFrame", 60, [0.0, 1.0], 2]
    assert shared.value("sorted(set(p))", p=f"${name}DT.prediction") == [0.0, 1.0]
    body = {"inputDatasetName": f"{name}DT", "outputDatasetName": plot, "names": ["prediction"]}
    shared.made("/explore/histogram", body)
    counts = shared.get(f"/explore/histogram/{plot}").json()["result"][1]["prediction"]
    assert sum(each["count"] for each in counts) == 60
    scored = unique()
    step = shared.made("/evaluate/scikitlearn", {"name": scored, "modulePath": "sklearn.metrics", "class": "accuracy_score",
                                                 "methodParameters": {"y_true": f"${table}.label", "y_pred": f"${name}DT.prediction"}})
    assert step["metrics"]["accuracy_score"] > 0.9
    model = shared.get(f"/step/{name}DT/artifact", format="zip")
    assert model.headers["content-type"] == "application/zip"
    assert any("metadata/" in each for each in zipfile.ZipFile(io.BytesIO(model.content)).namelist())
    assert shared.get(f"/step/{name}DT/artifact", format="csv").text.count("\n") == 61
    assert shared.delete(f"/builder/sparkml/{name}DT", cascade="true").status_code == 200


NULLS = b'{"i": 1, "b": true, "s": {"x": [1, 2]}}\n{"i": null, "b": null, "s": null}\n{"i": 9007199254740993, "b": false, "s": {"x": []}}\n'


@pytest.fixture(scope="module")
def nulls(shared):
    """A dataset of integers, booleans and structures, some of which are null."""
    name = unique("nulls")
    answer = shared.http.post(f"{PREFIX}/dataset/json", params={"datasetName": name}, content=NULLS, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 201, answer.text
    shared.finished(name)
    return name


def test_pandas_and_arrow_read_the_stored_parquet_file(shared, nulls, tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(shared.get(f"/step/{nulls}/artifact").content)
    table = pyarrow.parquet.read_table(path)
    assert table.schema.field("i").type == pyarrow.int64() and table.to_pylist() == [json.loads(line) for line in NULLS.splitlines()]
    plain, asked = pandas.read_parquet(path), pandas.read_parquet(path, dtype_backend="numpy_nullable")
    assert (str(plain["i"].dtype), str(plain["b"].dtype)) == ("float64", "object")
    assert (str(asked["i"].dtype), str(asked["b"].dtype)) == ("Int64", "boolean") and asked["i"][2] == 9007199254740993
    assert [None if each is None else list(each["x"]) for each in plain["s"]] == [[1, 2], None, []]


@pytest.mark.spark
def test_spark_reads_the_stored_parquet_file(shared, nulls):
    name = unique("spark")
    code = """
from pyspark.sql.functions import col, lit
found = (training_df.dtypes, [row.asDict(recursive=True) for row in training_df.orderBy("i").collect()])
assert found == ([("i", "bigint"), ("b", "boolean"), ("s", "struct<x:array<bigint>>")], [
    {"i": None, "b": None, "s": None}, {"i": 1, "b": True, "s": {"x": [1, 2]}}, {"i": 9007199254740993, "b": False, "s": {"x": []}}]), found
training_df = training_df.select(col("i").isNull().cast("double").alias("x1"), lit(0.0).alias("x2"), col("i").isNull().cast("double").alias("label"))
testing_df = training_df
""" + MODELING
    answer = shared.post("/builder/sparkml", {"trainDatasetName": nulls, "testDatasetName": nulls, "name": name, "modelingCode": code, "classifiersList": ["DT"]})
    assert answer.status_code == 201, answer.text
    assert shared.finished(f"{name}DT", timeout=240)["rows"] == 3


def test_integers_with_nulls_are_nullable_only_when_asked_for(shared, nulls):
    types = "import json\nprint('value', json.dumps([str(t['i'].dtype), str(t['b'].dtype), str(i.dtype)]))\nresponse = t"

    def value(name, **more):
        shared.function(name, types, functionParameters={"t": f"${nulls}", "i": f"${nulls}.i"}, **more)
        shared.finished(name)
        return json.loads(shared.get(f"/step/{name}/log").text.rpartition("value ")[2])

    plain, asked = unique(), unique()
    assert value(plain) == ["float64", "object", "float64"]
    assert value(asked, nullable=True) == ["Int64", "boolean", "Int64"]
    assert shared.rows(asked)[2]["i"] == 9007199254740993
    summed = shared.made("/transform/scikitlearn", {"name": unique(), "modulePath": "sklearn.impute", "class": "SimpleImputer", "method": "fit_transform",
                                                    "classParameters": {"strategy": "most_frequent"}, "methodParameters": {"X": [[1], [2]]}, "nullable": True})
    assert summed["request"]["nullable"] is True
    answer = shared.function(unique(), types, nullable="yes")
    assert (answer.status_code, answer.json()["errors"]) == (406, [{"pointer": "/nullable", "detail": 'nullable must be true or false, not "yes"'}])


@pytest.fixture(scope="module")
def many(shared):
    name = unique("many")
    shared.function(name, MANY)
    assert shared.finished(name)["rows"] == 400_000
    return name


def test_many_plain_numbers_are_a_dataset_as_any(shared, many):
    columns, counts, changed = unique(), unique(), unique()
    third = shared.value("[float(each) for each in x.iloc[300_000]]", x=f"${many}")
    row = {"_id": 300_001} | dict(zip(("x1", "x2", "x3"), third, strict=True))
    assert shared.rows(many, skip=300_000, limit=2)[:1] == [row]
    assert shared.rows(many, query=json.dumps({"x1": third[0]})) == [row]
    shared.made("/transform/projection", {"inputDatasetName": many, "outputDatasetName": columns, "names": ["x2"]})
    assert shared.rows(columns, skip=300_000, limit=2)[0] == {"_id": 300_001, "x2": third[1]}
    shared.made("/explore/histogram", {"inputDatasetName": many, "outputDatasetName": counts, "names": ["x3"], "bins": 10})
    bins = shared.get(f"/explore/histogram/{counts}").json()["result"][1]["x3"]
    assert len(bins) == 10 and sum(each["count"] for each in bins) == 400_000
    shared.function(changed, "frame['x1'] = 0.0\nframe.iloc[0, 1] = 5.0\nresponse = float(frame['x1'].sum())", functionParameters={"frame": f"${many}"})
    shared.finished(changed)
    assert shared.rows(many, skip=300_000, limit=2)[:1] == [row]


@pytest.mark.parametrize("wanted", [None, "parquet", "arrow", "csv"])
def test_many_plain_numbers_as_a_file(shared, many, wanted):
    answer = shared.get(f"/step/{many}/artifact", **({"format": wanted} if wanted else {}))
    assert answer.status_code == 200, answer.text
    read = {"arrow": lambda file: pyarrow.ipc.open_file(file).read_all(), "csv": pyarrow.csv.read_csv}.get(wanted, pyarrow.parquet.read_table)
    table = read(io.BytesIO(answer.content))
    assert (table.column_names, table.num_rows) == (["x1", "x2", "x3"], 400_000)
    assert table.column("x2")[7].as_py() == shared.rows(many, skip=7, limit=2)[0]["x2"]


@pytest.mark.spark
def test_many_plain_numbers_train_with_spark(shared, many):
    name = unique("spark")
    code = "from pyspark.sql.functions import col\ntraining_df = training_df.withColumn('label', (col('x1') > 0.5).cast('double'))" + MODELING
    answer = shared.post("/builder/sparkml", {"trainDatasetName": many, "testDatasetName": many, "name": name, "modelingCode": code,
                                              "classifiersList": ["DT"]})
    assert answer.status_code == 201, answer.text
    step = shared.finished(f"{name}DT", timeout=240)
    assert step["rows"] == 400_000 and step["metrics"]["accuracy"] > 0.99


def test_a_file_is_open_for_reading_in_a_step(shared):
    name = unique("file")
    content = bytes(range(256)) * 1000
    answer = file_upload(shared, name, content)
    assert (answer.status_code, answer.json()["result"]) == (201, f"{PREFIX}/dataset/generic/{name}?query={{}}&limit=20&skip=0")
    shared.finished(name)
    assert shared.value("[f.read(3).hex(), f.seek(0, 2), f.mode, f.writable()]", f=f"${name}") == ["000102", 256_000, "rb", False]
    metadata = shared.get(f"/dataset/generic/{name}").json()["result"][0]
    assert (metadata["datasetName"], metadata["type"], metadata["finished"], metadata["bytes"]) == (name, "dataset/generic", True, 256_000)
    assert name in [item["datasetName"] for item in shared.get("/dataset/generic").json()["result"]]


def test_a_file_comes_by_url_and_changes(shared):
    name = unique("file")
    with FileServer(serving({"/a.bin": b"first", "/b.bin": b"second"})) as files:
        shared.made("/dataset/generic", {"datasetName": name, "datasetURI": files.url + "/a.bin"})
        assert shared.step(name)["url"] == files.url + "/a.bin"
        assert shared.value("f.read().decode()", f=f"${name}") == "first"
        assert shared.patch(f"/dataset/generic/{name}", {"datasetURI": files.url + "/b.bin"}).status_code == 201
        shared.finished(name)
    assert shared.value("f.read().decode()", f=f"${name}") == "second"
    assert file_upload(shared, name, b"third", "PATCH", f"/dataset/generic/{name}").status_code == 201
    shared.finished(name)
    assert shared.value("[f.read().decode(), old.read().decode()]", f=f"${name}", old=f"${name}@1") == ["third", "first"]
    assert shared.delete(f"/dataset/generic/{name}", cascade="true").status_code == 200


@pytest.mark.parametrize("body, text", [({"datasetURI": "file:///etc/passwd"}, "datasetURI"), ({}, "datasetURI"),
                                        ({"datasetURI": "http://169.254.169.254/x"}, "169.254.169.254")])
def test_files_that_are_refused(shared, body, text):
    answer = shared.post("/dataset/generic", {"datasetName": unique()} | body)
    assert answer.status_code == 406 and text in answer.text


def test_a_file_is_no_table(shared):
    name = unique()
    file_upload(shared, name, b"a,b\n1,2\n")
    shared.finished(name)
    answer = shared.post("/transform/projection", {"inputDatasetName": name, "outputDatasetName": unique(), "names": ["a"]})
    assert answer.status_code == 406 and "table" in answer.json()["detail"]


def test_code_comes_by_url(shared):
    name = unique()
    with FileServer(serving({"/code.py": b"print('far')\nresponse = x * 2"})) as files:
        shared.function(name, files.url + "/code.py", functionParameters={"x": 21})
        shared.finished(name)
    assert shared.value("x", x=f"${name}") == 42
