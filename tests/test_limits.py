"""The limits of the API at their edges."""

import json

import pytest

from support import PREFIX, unique

MB = 1 << 20


def message(server, name):
    return server.get(f"/function/python/{name}").json()["result"][-1]["functionMessage"]


@pytest.mark.parametrize("size", [64 * MB, 64 * MB + 1])
def test_a_log_has_64_mb(shared, size):
    name = unique()
    code = f"import sys\nfor i in range({size // MB}): sys.stdout.write('x' * {MB})\nsys.stdout.write('y' * {size % MB})\nresponse = 1"
    shared.function(name, code)
    shared.finished(name)
    log = shared.get(f"/step/{name}/log").text
    if size == 64 * MB:
        assert len(log) == size and set(log) == {"x"}
    else:
        assert "... 1 bytes left out ..." in log and log.endswith("xy") and size - 1 <= len(log) < size + 100


@pytest.mark.parametrize("size", [65536, 65537])
def test_a_message_has_32_kb_at_each_end(shared, size):
    name = unique()
    shared.function(name, f"import sys\nsys.stdout.write('a' * 32768 + 'b' * {size - 32768})\nresponse = 1")
    shared.finished(name)
    text = message(shared, name)
    if size == 65536:
        assert text == "a" * 32768 + "b" * 32768
    else:
        assert text == "a" * 32768 + "\n... 1 bytes left out ...\n" + "b" * 32768


@pytest.mark.parametrize("path", ["/function/python", "/model/scikitlearn", "/train/tensorflow", "/dataset/generic"])
def test_a_body_has_16_mb(shared, path):
    def body(size):
        text = json.dumps({"name": unique(), "function": "response = 1 #", "padding": ""})
        return text[:-2] + "x" * (size - len(text)) + text[-2:]

    statuses = [shared.http.post(PREFIX + path, content=body(size), headers={"Content-Type": "application/json"}).status_code
                for size in (16 * MB, 16 * MB + 1)]
    assert statuses == [406, 413]  # 406: it is read, and has a member that is none


def test_a_function_of_nearly_16_mb_runs(shared):
    name = unique()
    assert shared.function(name, "response = 1 #" + "x" * (16 * MB - 1000)).status_code == 201
    assert shared.finished(name)["status"] == "finished"


@pytest.mark.parametrize("path, body", [
    ("/function/python", {"function": "response = 1"}),
    ("/model/scikitlearn", {"modulePath": "sklearn.svm", "class": "SVC"}),
    ("/evaluate/scikitlearn", {"modulePath": "sklearn.metrics", "class": "accuracy_score", "methodParameters": {"y_true": [1], "y_pred": [1]}}),
])
def test_a_name_has_128_characters(shared, path, body):
    name = (unique("n") + "-").ljust(128, "x")
    assert shared.post(path, body | {"name": name + "x"}).status_code == 406
    step = shared.made(path, body | {"name": name})
    assert step["name"] == name
    assert shared.delete(f"{path}/{name}").status_code == 200


@pytest.mark.parametrize("depth, status", [(64, 201), (65, 400)])
def test_json_is_nested_64_deep(shared, depth, status):
    inner = depth - 2  # the body and its functionParameters
    text = '{"name": "%s", "function": "response = 1", "functionParameters": {"x": %s1%s}}' % (unique(), "[" * inner, "]" * inner)
    answer = shared.http.post(PREFIX + "/function/python", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text


def test_a_page_has_1000_documents_and_20_when_not_asked(shared):
    name = unique()
    shared.upload(name, b"a\n" + b"x\n" * 1500)
    shared.finished(name)
    counts = [len(shared.get(f"/dataset/csv/{name}", **query).json()["result"]) for query in ({}, {"limit": 1000}, {"limit": 5000}, {"limit": 0})]
    assert counts[:3] == [20, 1000, 1000]
    assert [row["_id"] for row in shared.get(f"/dataset/csv/{name}", limit=5000, skip=1000).json()["result"]] == list(range(1000, 1501))


@pytest.mark.long
def test_a_result_of_2_gb_travels(shared):
    name, table = unique(), unique()
    shared.function(name, "import numpy\nresponse = numpy.full(2_200_000_000 // 8, 1.5)")
    assert shared.finished(name, timeout=300)["bytes"] > 2_147_483_648
    assert shared.value("[len(x), float(x[-1])]", x=f"${name}") == [275_000_000, 1.5]
    shared.function(table, "import pandas\nresponse = pandas.DataFrame({'a': x})", functionParameters={"x": f"${name}"})
    assert shared.finished(table, timeout=300)["rows"] == 275_000_000
    answer = shared.get(f"/dataset/csv/{table}", skip=274_999_999, limit=2).json()["result"]
    assert [row["_id"] for row in answer] == [274_999_999, 275_000_000]
    size = 0
    with shared.http.stream("GET", f"{PREFIX}/step/{name}/artifact", timeout=300) as file:
        for piece in file.iter_raw():
            size += len(piece)
    assert size == 2_200_000_000 + 128  # and the head of an .npy
    assert shared.delete(f"/function/python/{name}", cascade="true").json()["bytesFreed"] > 2_147_483_648
