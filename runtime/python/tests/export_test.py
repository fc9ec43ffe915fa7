"""internal/export: results as native files, in real steps."""

from __future__ import annotations

import csv
import json
import pickle

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from conftest import Ended, ForkServer
from tool_steps import DATA, LOGISTIC, run

pytest.importorskip("sklearn")
FRAME = ("import pandas\nresponse = pandas.DataFrame({'n': [1, 2], 't': ['a', None], 'f': [0.5, float('nan')],\n"
         "  'l': [[1, 2], None], 'd': pandas.to_datetime(['2020-01-01', '2020-01-02'])})")


@pytest.fixture(scope="module")
def table(scientific: ForkServer) -> Ended:
    return scientific.run(FRAME)


@pytest.fixture(scope="module")
def model(scientific: ForkServer) -> Ended:
    return run(scientific, "model/scikitlearn", LOGISTIC)


def export(server: ForkServer, result: Ended, wanted: str, name: str = "titanic@2") -> Ended:
    return run(server, "internal/export", {"name": name, "format": wanted}, {name: result})


def content(ended: Ended) -> bytes:
    assert ended.finished()["manifest"] == {"kind": "blob", "typeName": "", "parts": [{"name": "content"}]}
    assert [path.name for path in ended.staging().iterdir() if path.name != "result.json"] == ["content"]
    return (ended.staging() / "content").read_bytes()


def test_the_file_has_a_name_and_a_type(scientific: ForkServer, table: Ended) -> None:
    facts = export(scientific, table, "csv").finished()["facts"]
    assert facts == {"contentType": "text/csv; charset=utf-8", "fileName": "titanic-2.csv"}


def test_tables_as_csv(scientific: ForkServer, table: Ended) -> None:
    rows = list(csv.reader(content(export(scientific, table, "csv")).decode().splitlines()))
    assert rows[0] == ["n", "t", "f", "l", "d"] and rows[1][:4] == ["1", "a", "0.5", "[1, 2]"] and rows[2][:4] == ["2", "", "", ""]


def test_tables_as_parquet_and_arrow(scientific: ForkServer, table: Ended) -> None:
    stored = parquet.read_table(table.staging() / "rows.parquet")
    assert parquet.read_table(pa.BufferReader(content(export(scientific, table, "parquet")))).equals(stored)
    assert pa.ipc.open_file(content(export(scientific, table, "arrow"))).read_all().equals(stored)


def test_tables_as_json(scientific: ForkServer, table: Ended) -> None:
    rows = json.loads(content(export(scientific, table, "json")))
    assert rows == [{"n": 1, "t": "a", "f": 0.5, "l": [1, 2], "d": "2020-01-01 00:00:00"},
                    {"n": 2, "t": None, "f": None, "l": None, "d": "2020-01-02 00:00:00"}]


def test_objects_as_json(scientific: ForkServer) -> None:
    code = "import numpy\nresponse = {'a': numpy.arange(2), 1: [None, True, float('inf')], 'x': numpy.float32(0.5)}"
    given = scientific.run(code)
    assert json.loads(content(export(scientific, given, "json"))) == {"a": [0, 1], "1": [None, True, None], "x": 0.5}


def test_arrays_as_npy(scientific: ForkServer) -> None:
    given = scientific.run("import numpy\nresponse = numpy.arange(3)")
    assert content(export(scientific, given, "npy")).startswith(b"\x93NUMPY")


def test_models_as_files_that_can_be_uploaded(scientific: ForkServer, model: Ended) -> None:
    for wanted in ("joblib", "skops"):
        pytest.importorskip(wanted)
        exported = export(scientific, model, wanted)
        back = run(scientific, "model/scikitlearn", {"format": wanted}, upload=str(exported.staging() / "content"))
        assert exported.finished()["facts"]["fileName"] == f"titanic-2.{wanted}"
        assert back.finished()["facts"]["class"] == "LogisticRegression"


def test_pickles_load_without_this_runtime(scientific: ForkServer) -> None:
    assert pickle.loads(content(export(scientific, scientific.run("response = [1, 'a']"), "pickle"))) == [1, "a"]


@pytest.mark.parametrize(("code", "wanted"), [
    ("response = {'a': [1, 2]}", "json"),
    ("response = {'a': object}", "pickle"),
    ("import numpy\nresponse = numpy.arange(3)", "npy"),
    ("from sklearn.svm import SVC\nresponse = SVC()", "joblib"),
    (FRAME, "parquet"),
])
def test_without_a_format_it_is_the_natural_one(scientific: ForkServer, code: str, wanted: str) -> None:
    exported = run(scientific, "internal/export", {"name": "x"}, {"x": scientific.run(code)})
    assert exported.finished()["facts"]["fileName"] == f"x.{wanted}"
    assert content(exported)


def test_trials_of_a_search_as_csv(scientific: ForkServer) -> None:
    request = {"modulePath": "sklearn.model_selection", "class": "GridSearchCV",
               "method": "fit", "methodParameters": {"X": "$d.x", "y": "$d.y"},
               "classParameters": {"estimator": "#sklearn.linear_model.LogisticRegression()", "param_grid": {"C": [1, 2]}}}
    tuned = run(scientific, "tune/scikitlearn", request, {"d": scientific.run(DATA)})
    assert len(content(export(scientific, tuned, "csv")).splitlines()) == 3


LOGISTIC_TYPE = "sklearn.linear_model._logistic.LogisticRegression"


@pytest.mark.parametrize(("wanted", "said"), [
    ("npy", f"CannotExport: format: 'titanic@2', a {LOGISTIC_TYPE}, has no form as npy: it is no array"),
    ("json", f"CannotExport: format: 'titanic@2', a {LOGISTIC_TYPE}, has no form as json: it has a LogisticRegression, which"),
    ("csv", f"CannotExport: format: 'titanic@2', a {LOGISTIC_TYPE}, has no form as csv: there is joblib, skops, keras"),
    ("jobLib", "BadRequest: format: 'jobLib' is no format of results: did you mean 'joblib'?"),
])
def test_what_a_model_cannot_be(scientific: ForkServer, model: Ended, wanted: str, said: str) -> None:
    assert export(scientific, model, wanted).failed()["exception"].startswith(said)


def test_what_a_table_cannot_be(scientific: ForkServer, table: Ended) -> None:
    said = "CannotExport: format: 'titanic@2', of kind table, has no form as joblib: there is json, csv, parquet, arrow"
    assert export(scientific, table, "joblib").failed()["exception"] == said
