"""Profiles of tables, beside what pandas and numpy say of the same rows."""

import io
import os
import threading

import httpx
import numpy
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from support import PREFIX, unique

SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
MANY = 300_000


def profile(server, service, name, **query):
    answer = server.get(f"/{service}/{name}/profile", **query)
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    return result["rows"], {field["name"]: field for field in result["fields"]}


def refused(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def expect_counts(field, values):
    """As pandas counts; `values` are without nulls."""
    counts = values.value_counts()
    assert field["count"] == len(values)
    assert (field["distinctError"] == 0) == (len(counts) <= 4096)
    assert abs(field["distinct"] - len(counts)) <= 4 * field["distinctError"] * len(counts)
    assert field["topError"] <= len(values) / 4097
    for entry in field["top"]:
        assert 0 <= counts[entry["value"]] - entry["count"] <= field["topError"]
    assert [entry["count"] for entry in field["top"]] == sorted((entry["count"] for entry in field["top"]), reverse=True)
    if field["topError"] == 0:
        assert [entry["count"] for entry in field["top"]] == list(counts.iloc[:10])


def expect_numbers(field, values):
    expect_counts(field, values)
    assert (field["min"], field["max"]) == (values.min(), values.max())
    assert field["mean"] == pytest.approx(values.mean(), rel=1e-9)
    assert field["standardDeviation"] == pytest.approx(values.std(), rel=1e-9)
    assert list(field["quantiles"]) == [str(share) for share in SHARES]
    assert field["quantileError"] < 0.001
    for share in SHARES:
        low, high = (numpy.quantile(values, min(1, max(0, share + sign * field["quantileError"])), method="inverted_cdf") for sign in (-1, 1))
        assert low <= field["quantiles"][str(share)] <= high


def test_titanic_is_as_pandas_describes_it(shared, titanic):
    name, content = unique(), (titanic / "titanic_train.csv").read_bytes()
    shared.upload(name, content, types="infer")
    shared.finished(name)
    frame = pandas.read_csv(io.BytesIO(content))
    rows, fields = profile(shared, "dataset/csv", name)
    assert rows == len(frame) and list(fields) == list(frame)
    for field in fields.values():
        values = frame[field["name"]].dropna()
        if field["type"] in ("integer", "number"):
            assert (field["nulls"], field["quantileError"]) == (len(frame) - len(values), 0)
            expect_numbers(field, values)
        else:  # an empty cell is a text here
            texts = frame[field["name"]].fillna("").astype(str)
            expect_counts(field, texts)
            assert (field["min"], field["max"]) == (texts.min(), texts.max())
            assert (field["shortest"], field["longest"]) == (texts.str.len().min(), texts.str.len().max())
    assert fields["Sex"]["top"] == [{"value": "male", "count": 577}, {"value": "female", "count": 314}]


@pytest.fixture(scope="module")
def many(shared):
    """A table of several groups of rows, and the frame it was made of."""
    chance = numpy.random.default_rng(33)
    frame = pandas.DataFrame({
        "number": chance.normal(100, 20, MANY), "code": chance.integers(0, 1000, MANY), "skewed": chance.zipf(1.3, MANY) % 1_000_003,
        "text": [f"text {each}" for each in chance.zipf(1.2, MANY) % 50_000], "time": pandas.Timestamp("2026-01-01", tz="UTC") + pandas.to_timedelta(
            chance.integers(0, 10**7, MANY), unit="s")})
    frame.loc[::10, "number"] = None
    frame.loc[1, "number"] = numpy.inf
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pandas(frame, preserve_index=False), sink)
    name = unique("many")
    shared.http.post(f"{PREFIX}/dataset/parquet", params={"datasetName": name}, content=sink.getvalue(),
                     headers={"Content-Type": "application/vnd.apache.parquet"})
    shared.finished(name)
    return name, frame


def test_a_large_table_is_as_pandas_describes_it_within_what_is_stated(shared, many):
    name, frame = many
    rows, fields = profile(shared, "dataset/parquet", name)
    assert rows == MANY
    finite = frame["number"].replace(numpy.inf, numpy.nan).dropna()
    assert (fields["number"]["nulls"], fields["number"]["notFinite"]) == (MANY - len(finite), 1)
    expect_numbers(fields["number"], finite)
    expect_numbers(fields["code"], frame["code"])
    expect_numbers(fields["skewed"], frame["skewed"])
    expect_counts(fields["text"], frame["text"])
    assert fields["code"]["distinctError"] == fields["code"]["topError"] == 0 < fields["number"]["distinctError"]
    assert [entry["value"] for entry in fields["skewed"]["top"]] == list(frame["skewed"].value_counts().iloc[:10].index)
    assert pandas.Timestamp(fields["time"]["min"]) == frame["time"].min()
    assert abs(pandas.Timestamp(fields["time"]["mean"]) - frame["time"].mean()) < pandas.Timedelta("1s")


def test_some_fields_in_the_order_in_which_they_are_named(shared, many):
    whole = profile(shared, "dataset/parquet", many[0])[1]
    _, fields = profile(shared, "dataset/parquet", many[0], fields="text,code")
    assert list(fields) == ["text", "code"]
    assert fields == {name: whole[name] for name in fields}


def test_it_is_the_same_each_time_and_known_by_its_tag(shared, many):
    path = f"{PREFIX}/dataset/parquet/{many[0]}/profile"
    first, second = shared.http.get(path), shared.http.get(path)
    assert first.text == second.text and first.headers["etag"] == second.headers["etag"]
    again = shared.http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.text) == (304, "")


def test_many_ask_at_once(shared, titanic):
    name, answers = unique(), []
    shared.upload(name, (titanic / "titanic_train.csv").read_bytes(), types="infer")
    shared.finished(name)
    paths = [f"/dataset/csv/{name}/profile", f"/dataset/csv/{name}/profile?fields=Age", f"/dataset/csv/{name}/profile?fields=Nobody"] * 5
    threads = [threading.Thread(target=lambda path=path: answers.append((path, httpx.get(shared.url + PREFIX + path, timeout=60)))) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for path in paths[:3]:
        same = {(answer.status_code, answer.text) for asked, answer in answers if asked == path}
        assert [status for status, _ in same] == [406 if path.endswith("Nobody") else 200]
    assert len(answers) == len(paths)


def test_what_a_step_gives_has_a_profile_by_revision(shared):
    name = unique()
    shared.function(name, "import pandas\nresponse = pandas.DataFrame({'a': [1, 2], 'b': ['x', None]})")
    shared.finished(name)
    shared.patch(f"/function/python/{name}", {"function": "import pandas\nresponse = pandas.DataFrame({'a': [5.0] * 3})"})
    shared.finished(name)
    assert profile(shared, "function/python", name)[1]["a"]["top"] == [{"value": 5, "count": 3}]
    rows, fields = profile(shared, "function/python", name, revision=1)
    assert (rows, fields["a"]["top"], fields["b"]["nulls"]) == (2, [{"value": 1, "count": 1}, {"value": 2, "count": 1}], 1)
    refused(shared.get(f"/function/python/{name}/profile", revision=3), 404)


def test_a_dataset_that_was_typed_has_that_of_its_new_types(shared):
    name = unique()
    shared.upload(name, b"a\n10\n9\n")
    shared.finished(name)
    assert profile(shared, "dataset/csv", name)[1]["a"]["max"] == "9"
    shared.patch("/transform/dataType", {"inputDatasetName": name, "types": {"a": "number"}})
    shared.finished(name)
    assert profile(shared, "dataset/csv", name)[1]["a"]["max"] == 10
    assert profile(shared, "transform/dataType", name) == profile(shared, "dataset/csv", name)


def test_refusals_say_why(shared, titanic):
    table, value = unique(), unique()
    shared.upload(table, (titanic / "titanic_train.csv").read_bytes())
    shared.function(value, "response = 1")
    shared.finished(table)
    shared.finished(value)
    refused(shared.get("/dataset/csv/nobody/profile"), 404)
    refused(shared.get(f"/dataset/parquet/{table}/profile"), 404)
    assert "not a table" in refused(shared.get(f"/function/python/{value}/profile"), 406)["detail"]
    problem = refused(shared.get(f"/dataset/csv/{table}/profile", fields="Age,Sexx"), 406)
    assert problem["errors"][0]["pointer"] == "fields" and "'Sex'" in problem["errors"][0]["detail"]
    refused(shared.get(f"/dataset/csv/{table}/profile", revision="x"), 406)


def test_before_there_is_a_result_it_is_asked_again(shared, tmp_path):
    name, gate = unique(), tmp_path / "gate"
    os.mkfifo(gate)
    shared.function(name, f"import pandas\nopen({str(gate)!r}).read()\nresponse = pandas.DataFrame({{'a': [1]}})")
    answer = shared.get(f"/function/python/{name}/profile")
    refused(answer, 404)
    assert answer.headers["retry-after"] == "1"
    gate.write_text("go on")
    shared.finished(name)
    assert profile(shared, "function/python", name)[0] == 1
