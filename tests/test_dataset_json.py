"""Tables from JSON: what they take, what they refuse, and the values beside those that Python's json, pandas and Arrow read from the same file."""

import gzip
import io
import json
import math
import random
import zipfile

import pandas
import pyarrow.json
import pyarrow.parquet
import pytest

from support import PREFIX, FileServer, serving, unique

LINES = b'{"id": 1, "name": "Ann", "tags": ["a", "b"]}\n\n{"id": 2, "price": 1.5, "at": {"x": 1}}\n'
ROWS = [
    {"_id": 1, "id": 1, "name": "Ann", "tags": ["a", "b"], "price": None, "at": None},
    {"_id": 2, "id": 2, "name": None, "tags": None, "price": 1.5, "at": {"x": 1}},
]


def upload(server, content, media="application/x-ndjson", name=None, **query):
    name = name or unique("json")
    answer = server.http.post(f"{PREFIX}/dataset/json", params={"datasetName": name, **query}, content=content, headers={"Content-Type": media})
    assert answer.status_code == 201, answer.text
    return name


def rows(server, name, **query):
    result = server.get(f"/dataset/json/{name}", **query).json()["result"]
    return result if {"query", "skip"} & query.keys() else result[1:]


def refusal(server, content, **query):
    step = server.ended(upload(server, content, **query))
    assert step["status"] == "failed", step
    return step["exception"]


def zipped(content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("rows.jsonl", content)
    return archive.getvalue()


@pytest.mark.parametrize("media", ["application/x-ndjson", "application/jsonl", "application/json", "application/json; charset=utf-8",
                                   "application/octet-stream"])
def test_uploads_of_every_media_type_are_tables(shared, media):
    name = upload(shared, LINES, media)
    step = shared.finished(name)
    assert (step["rows"], step["fields"]) == (2, ["id", "name", "tags", "price", "at"])
    assert rows(shared, name) == ROWS
    assert rows(shared, name, query='{"price": {"$gt": 1}}') == ROWS[1:]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped], ids=["plain", "gzip", "zip"])
def test_files_come_by_url(shared, pack):
    name, array = unique("json"), unique("json")
    content = {"/lines": pack(LINES), "/array": pack(json.dumps([json.loads(line) for line in LINES.splitlines() if line], indent=1).encode())}
    with FileServer(serving(content)) as files:
        shared.made("/dataset/json", {"datasetName": name, "datasetURI": files.url + "/lines"})
        shared.made("/dataset/json", {"datasetName": array, "url": files.url + "/array"})
    assert rows(shared, name) == rows(shared, array) == ROWS
    assert shared.step(name)["url"] == files.url + "/lines"


def test_an_array_is_a_file_where_the_query_has_its_name(shared):
    name = upload(shared, b'[{"a": 1}, {"a": 2}]', "application/json")
    assert shared.finished(name)["rows"] == 2
    answer = shared.http.post(f"{PREFIX}/dataset/json", content=b'[{"a": 1}]', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "the JSON must be an object, not an array")


def test_a_request_as_json_with_a_name_in_the_query_is_no_file_for_other_services(shared):
    answer = shared.http.post(f"{PREFIX}/dataset/csv", params={"datasetName": unique()}, json={"datasetName": unique(), "datasetURI": 7})
    assert answer.status_code == 406 and "/datasetURI" in answer.text


def test_what_comes_late_in_a_download_counts(shared):
    """The fields are guessed from the first MB; a copy of the download is read again when they do not hold."""
    content = b'{"a": 1}\n' * 300_000 + b'{"a": 0.5, "late": ["x"]}\n'
    name = unique("json")
    with FileServer(serving({"/x": content})) as files:
        shared.made("/dataset/json", {"datasetName": name, "datasetURI": files.url + "/x"})
    assert shared.step(name)["rows"] == 300_001
    assert rows(shared, name, skip=300_000) == [{"_id": 300_000, "a": 1, "late": None}, {"_id": 300_001, "a": 0.5, "late": ["x"]}]


def test_types_are_those_of_the_values_or_asked_for(shared):
    content = b'{"a": 1, "b": "2026-01-01", "c": "7"}\n{"a": "x", "b": null, "c": true}\n'
    name = upload(shared, content, types='{"a": "string", "b": "timestamp", "c": "integer"}')
    shared.finished(name)
    assert rows(shared, name) == [{"_id": 1, "a": "1", "b": "2026-01-01T00:00:00Z", "c": 7}, {"_id": 2, "a": "x", "b": None, "c": 1}]
    changed = shared.http.patch(f"{PREFIX}/dataset/json/{name}", content=b'{"a": 2, "b": "2026-01-02", "c": "x"}\n', headers={"Content-Type": "application/x-ndjson"})
    assert changed.status_code == 201, changed.text
    assert shared.ended(name)["exception"] == "row 1, field 'c': 'x' is not an integer"  # the types are still asked for


def test_a_table_of_json_is_a_table_as_any(shared):
    name, columns, counts = upload(shared, LINES), unique(), unique()
    shared.finished(name)
    shared.made("/transform/projection", {"inputDatasetName": name, "outputDatasetName": columns, "names": ["id", "at"]})
    assert shared.rows(columns)[1] == {"_id": 2, "id": 2, "at": {"x": 1}}
    shared.made("/explore/histogram", {"inputDatasetName": name, "outputDatasetName": counts, "names": ["name"]})
    assert shared.value("[int(x['id'].sum()), list(x['tags'][0])]", x=f"${name}") == [3, ["a", "b"]]


@pytest.mark.parametrize("content, said", [
    (b"\n", "the file is empty"),
    (b'{"a": 1}\n\n{"a": }\n', 'row 2 (line 3), invalid JSON at column 7'),
    (b'{"a": 1}\n{"a": "x"}\n', "row 2, field 'a': the text 'x' where row 1 has the number '1'"),
    (b'{"a": 123456789012345678901}\n', "row 1, field 'a': '123456789012345678901' has more digits than a number can hold"),
    (b'{"a": 1, "a": 2}\n', "row 1, the field 'a' is there twice"),
    (b'{"_id": 1}\n', "the field '_id' is called as the row number is: rename it"),
    (b'[{"a": 1}', "the JSON array is not closed: the file ends in row 1"),
    (b"<!DOCTYPE html><html></html>", "the file is a web page (HTML), not JSON"),
    (b"a,b\n1,2\n", "row 1, invalid JSON at column 1"),
], ids=lambda value: None if isinstance(value, bytes) else value[:30])
def test_what_is_refused_is_named(shared, content, said):
    assert refusal(shared, content).startswith(said)


@pytest.mark.parametrize("query, pointer", [
    ({"types": "infer"}, "/types"), ({"types": '{"a": "int"}'}, "/types/a"), ({"types": "[1]"}, "/types"), ({"encoding": "utf-9"}, "/encoding"),
    ({"delimiter": ";"}, None),
])
def test_wrong_options_are_refused_before_the_file_is_read(shared, query, pointer):
    name = unique("json")
    answer = shared.http.post(f"{PREFIX}/dataset/json", params={"datasetName": name, **query}, content=LINES, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 406
    assert [error["pointer"] for error in answer.json().get("errors", [])] == ([pointer] if pointer else [])
    assert shared.get(f"/step/{name}").status_code == 404


def test_a_type_of_a_field_that_there_is_not_is_refused(shared):
    assert refusal(shared, b'{"price": 1}\n', types='{"prise": "number"}') == "there is no field 'prise': did you mean 'price'?"


# --- beside other readers ---

FILES = {
    "escapes": r'{"a": "\u00e9\ud83d\ude00\b\f\n\r\t\"\\\/", "\u0062": "\u0000"}' + "\n",
    "other scripts": '{"日本": "ʤ😀Ω"}\n{"日本": ""}\n',
    "carriage returns": '{"a": 1}\r\n{"a": 2}\r\n',
    "no line end at the end": '{"a": 1}\n{"a": 2}',
    "byte order mark": '\ufeff{"a": 1}\n',
    "missing fields": '{"a": 1}\n{"b": "x"}\n{"c": [1]}\n',
    "other order": '{"a": 1, "b": 2}\n{"b": 3, "a": 4}\n',
    "nested": '{"a": {"b": {"c": [{"d": 1}, {"e": "x"}]}}}\n{"a": null}\n{"a": {"b": null}}\n',
    "empty lists": '{"a": []}\n{"a": [null, 1]}\n',
    "numbers": '{"i": -9223372036854775808, "f": 0.1, "e": 1e-300}\n{"i": 9223372036854775807, "f": 1, "e": 5e-324}\n',
    "exponents": '{"a": 1e2}\n{"a": 1E+2}\n{"a": -0.0}\n',
    "truths": '{"a": true}\n{"a": null}\n{"a": false}\n',
    "spaces": ' { "a" : [ 1 , 2 ] } \n\t{"a":[]}\n',
    "texts like times": '{"a": "2020-01-01"}\n{"a": "2020-01-02 10:00:00"}\n',
    "texts like numbers": '{"a": "007"}\n{"a": "1e5"}\n',
    "a long text": json.dumps({"a": "x" * 3_000_000}) + '\n{"a": "y"}\n',
    "lines across blocks": "".join(json.dumps({"n": i, "t": "é" * (i % 50)}) + "\n" for i in range(60_000)),
    "empty lines": '\n{"a": 1}\n\n\n{"a": 2}\n\n',
    "all null": '{"a": null}\n{"a": null}\n',
    "duplicate texts": '{"a": "x"}\n' * 5_000,
}

# What they make of it otherwise, and why we do not.
DIFFERENCES = {
    ("byte order mark", "Python"): "it refuses the mark",
    ("byte order mark", "pandas"): "it refuses the mark",
    ("empty lists", "Arrow"): "it gives [1, 0] for [null, 1]",
    ("numbers", "pandas"): "it refuses the least of all floats",
    ("texts like times", "Arrow"): "it makes times of them; a text stays what it is",
}


def plain(value):
    """Without nulls in objects: those of fields that a row does not have, and others."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if plain(each) is not None}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def of_python(content):
    return [json.loads(line) for line in content.decode().split("\n") if line.strip()]


def of_pandas(content):
    return pandas.read_json(io.BytesIO(content), lines=True, dtype=False, convert_dates=False, precise_float=True).to_dict("records")


def of_arrow(content):
    options = pyarrow.json.ReadOptions(block_size=max(1 << 20, len(content)))
    return pyarrow.json.read_json(io.BytesIO(content), read_options=options).to_pylist()


READERS = {"Python": of_python, "pandas": of_pandas, "Arrow": of_arrow}


def read_by(reader, content):
    try:
        return plain(READERS[reader](content))
    except Exception as refused:
        return f"refused: {refused}"


def ours(server, content):
    name = upload(server, content)
    server.finished(name)
    return plain(pyarrow.parquet.read_table(io.BytesIO(server.get(f"/step/{name}/artifact").content)).to_pylist())


@pytest.mark.parametrize("file", FILES)
def test_the_same_values_or_a_stated_difference(shared, file):
    content = FILES[file].encode()
    mine = ours(shared, content)
    for reader in READERS:
        theirs = read_by(reader, content)
        if (file, reader) in DIFFERENCES:
            assert theirs != mine, f"no longer a difference to {reader}"
        else:
            assert theirs == mine, reader


def generated(chance):
    kinds = {
        "i": lambda: chance.choice([0, 1, -1, 2**53 + 1, -(2**63), chance.randrange(2**62)]),
        "f": lambda: chance.choice([0.5, -0.0, 1e300, 5e-324, chance.random()]),
        "b": lambda: chance.random() < 0.5,
        "t": lambda: "".join(chance.choices(["a", "é", "😀", "\n", '"', "\\", "\x00", "日", " ", "x" * 30], k=chance.randint(0, 5))),
        "l": lambda: [chance.randint(0, 9) for _ in range(chance.randint(0, 3))],
        "s": lambda: {key: chance.randint(0, 9) for key in "xyz" if chance.random() < 0.6},
        "n": lambda: [{"k": [chance.random()]} for _ in range(chance.randint(0, 2))],
    }
    lines = []
    for _ in range(chance.randint(1, 400)):
        names = chance.sample(list(kinds), chance.randint(1, len(kinds)))
        row = {name: kinds[name]() if chance.random() < 0.9 else None for name in names}
        lines.append(json.dumps(row, ensure_ascii=chance.random() < 0.5, separators=chance.choice([(", ", ": "), (",", ":")])))
    return chance.choice(["\n", "\r\n", "\n\n"]).join(lines).encode()


@pytest.mark.parametrize("seed", range(8))
def test_generated_files_have_the_same_values(shared, seed):
    content = generated(random.Random(seed))
    array = json.dumps(of_python(content), indent=seed % 3 or None).encode()
    expected = plain(of_python(content))
    assert ours(shared, content) == expected
    assert ours(shared, array) == expected
