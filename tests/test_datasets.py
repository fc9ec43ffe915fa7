"""Datasets over their life: uploads and downloads, changed in place, queried, deleted."""

import io
import zipfile

from support import PREFIX, FileServer, unique


def patch_upload(server, name, content):
    return server.http.patch(f"{PREFIX}/dataset/csv/{name}", content=content, headers={"Content-Type": "text/csv"})


def serve(content):
    def handler(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return handler


def test_values_stay_strings_unless_told(shared):
    lossless, inferred, given = unique(), unique(), unique()
    content = b"id,zip,when\n1,007,2026-01-01\n2,,x\n"
    shared.upload(lossless, content)
    shared.upload(inferred, content, types="infer")
    shared.upload(given, content, types='{"id": "integer"}')
    for name in (lossless, inferred, given):
        assert shared.ended(name)["status"] == "finished"
    assert shared.rows(lossless)[0] == {"_id": 1, "id": "1", "zip": "007", "when": "2026-01-01"}
    assert shared.rows(inferred)[0]["id"] == 1
    assert shared.rows(given)[0] == {"_id": 1, "id": 1, "zip": "007", "when": "2026-01-01"}


def test_what_a_file_does_not_say_is_guessed_and_told(shared):
    name, archive = unique(), io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("prices.csv", "Name;Preis\nJos\u00e9;1,5 \u20ac\n".encode("cp1252"))
    shared.upload(name, archive.getvalue())
    metadata = shared.ended(name)
    assert metadata["status"] == "finished"
    assert (metadata["fields"], metadata["encoding"], metadata["delimiter"]) == (["Name", "Preis"], "cp1252", ";")
    assert shared.rows(name) == [{"_id": 1, "Name": "José", "Preis": "1,5 €"}]


def test_a_download_that_breaks_off_goes_on(shared):
    content = b"a\n" + b"".join(b"%d\n" % i for i in range(100_000))
    asked = []

    def handler(request):
        first = int(request.headers.get("Range", "bytes=0-")[6:-1])
        asked.append(first)
        request.send_response(206 if first else 200)
        request.send_header("ETag", '"1"')
        request.send_header("Content-Length", str(len(content) - first))
        if first:
            request.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        request.end_headers()
        request.wfile.write(content[first : first + 400_000])
        request.close_connection = True

    name = unique()
    with FileServer(handler) as files:
        shared.post("/dataset/csv", {"datasetName": name, "datasetURI": files.url + "/x.csv"})
        assert shared.ended(name)["status"] == "finished"
    assert shared.get(f"/dataset/csv/{name}", skip=100_000).json()["result"] == [{"_id": 100_000, "a": "99999"}]
    assert len(asked) > 1 and asked[0] == 0 and asked == sorted(asked)


def test_a_parquet_file_is_a_dataset_with_its_own_types(shared):
    table, uploaded, fetched, projected = unique(), unique(), unique(), unique()
    shared.upload(table, b"id,when\n1,2026-01-01\n2,2026-01-02\n", types='{"id": "integer", "when": "timestamp"}')
    shared.finished(table)
    content = shared.get(f"/step/{table}/artifact").content
    answer = shared.http.post(f"{PREFIX}/dataset/parquet", params={"datasetName": uploaded}, content=content,
                              headers={"Content-Type": "application/vnd.apache.parquet"})
    assert answer.status_code == 201, answer.text
    with FileServer(serve(content)) as files:
        shared.made("/dataset/parquet", {"datasetName": fetched, "datasetURI": files.url + "/x.parquet"})
    shared.made("/transform/projection", {"inputDatasetName": fetched, "outputDatasetName": projected, "names": ["id"]})
    rows = [{"_id": 1, "id": 1, "when": "2026-01-01T00:00:00Z"}, {"_id": 2, "id": 2, "when": "2026-01-02T00:00:00Z"}]
    for name in (uploaded, fetched):
        assert shared.finished(name)["rows"] == 2
        assert shared.get(f"/dataset/parquet/{name}").json()["result"][1:] == rows
        assert shared.get(f"/dataset/parquet/{name}", query='{"id": {"$gt": 1}}').json()["result"] == rows[1:]
    assert shared.rows(projected) == [{"_id": 1, "id": 1}, {"_id": 2, "id": 2}]
    shared.function(projected + "f", "response = int(x['id'].sum())", functionParameters={"x": f"${uploaded}"})
    assert shared.finished(projected + "f")["status"] == "finished"


def test_another_upload_replaces_the_data_and_marks_its_children_stale(shared):
    name, child = unique(), unique()
    shared.upload(name, b"a,b\n1,2\n")
    shared.post("/transform/projection", {"inputDatasetName": name, "outputDatasetName": child, "names": ["a"]})
    shared.ended(child)
    assert patch_upload(shared, name, b"a,b\n3,4\n5,6\n").status_code == 201
    assert shared.ended(name)["revision"] == 2
    assert shared.rows(name) == [{"_id": 1, "a": "3", "b": "4"}, {"_id": 2, "a": "5", "b": "6"}]
    assert shared.get(f"/dataset/csv/{name}", revision=1).json()["result"][1] == {"_id": 1, "a": "1", "b": "2"}
    assert shared.step(child)["stale"]


def test_a_dataset_changes_between_upload_and_url(shared):
    name = unique()
    shared.upload(name, b"a\n1\n")
    shared.ended(name)
    with FileServer(serve(b"a\n2\n")) as files:
        assert shared.patch(f"/dataset/csv/{name}", {"datasetURI": files.url + "/x.csv"}).status_code == 201
        assert shared.ended(name)["status"] == "finished"
    assert shared.rows(name) == [{"_id": 1, "a": "2"}]
    assert patch_upload(shared, name, b"a\n3\n").status_code == 201
    assert shared.ended(name)["revision"] == 3
    assert shared.rows(name) == [{"_id": 1, "a": "3"}]


def test_an_upload_takes_the_policy_of_any_step(shared):
    name = unique()
    assert shared.upload(name, b"a\n1\n", timeout="60", retry='{"maxAttempts": 2}').status_code == 201
    assert shared.ended(name)["request"]["timeout"] == 60
    assert shared.upload(unique(), b"a\n1\n", timeout="-1").status_code == 406


def test_queries_count_the_metadata_like_any_document(shared):
    name = unique()
    shared.upload(name, b"a,b\n" + b"".join(b"%d,x\n" % i for i in range(50)), types='{"a": "integer"}')
    shared.ended(name)
    assert [row["_id"] for row in shared.rows(name, query='{"a": {"$gte": 48}}')] == [49, 50]
    assert [row["_id"] for row in shared.rows(name, query="{'a': {'$in': [0, 1]}}", skip=1)] == [2]
    page = shared.get(f"/dataset/csv/{name}", limit=2, skip=49)
    assert [row["_id"] for row in page.json()["result"]] == [49, 50]


def test_a_page_shows_the_fields_that_are_asked_for(shared):
    name = unique()
    shared.upload(name, b"a,b,c\n1,2,3\n4,5,6\n")
    shared.finished(name)
    assert shared.rows(name, fields="c,a") == [{"_id": 1, "c": "3", "a": "1"}, {"_id": 2, "c": "6", "a": "4"}]
    assert shared.rows(name, fields="b", query='{"a": "4"}') == [{"_id": 2, "b": "5"}]
    page = shared.get(f"/dataset/csv/{name}", fields="b", limit=2)
    assert page.json()["result"][1:] == [{"_id": 1, "b": "2"}] and "fields=b" in page.headers["link"]
    refused = shared.get(f"/dataset/csv/{name}", fields="a,d")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (406, "fields")


def test_a_page_is_sorted_and_says_how_many_match(shared):
    name = unique()
    shared.upload(name, b"a,b\n3,x\n1,y\n,x\n2,x\n", types='{"a": "integer"}')
    shared.finished(name)
    assert [row["_id"] for row in shared.rows(name, sort="a")] == [3, 2, 4, 1]
    assert [row["_id"] for row in shared.rows(name, sort="-a", query='{"b": "x"}')] == [1, 4, 3]
    page = shared.get(f"/dataset/csv/{name}", sort="-a", count="true", limit=2, query='{"b": "x"}')
    assert page.json()["count"] == 3 and [row["_id"] for row in page.json()["result"]] == [1, 4]
    assert "sort=-a" in page.headers["link"]
    assert shared.get(f"/dataset/csv/{name}", count="true").json()["count"] == 4
    for query in ({"sort": "c"}, {"sort": "a", "skip": 2_000_000}):
        assert shared.get(f"/dataset/csv/{name}", **query).status_code == 406
    function = unique()
    shared.function(function, "response = 1")
    refused = shared.get(f"/function/python/{function}", sort="a")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (406, "sort")


def whole(server, name, kind, **query):
    answer = server.http.get(f"{PREFIX}/dataset/csv/{name}", params=query, headers={"Accept": kind})
    assert answer.status_code == 200 and answer.headers["content-type"] == kind, answer.text
    assert answer.headers["vary"] == "Accept"
    return answer.content


def test_a_whole_dataset_comes_in_the_format_that_is_accepted(shared):
    import json

    import pandas
    import pyarrow.ipc

    name, rows = unique(), 100_000
    shared.upload(name, b"a,b\n" + b"".join(b'%d,"x,%d"\n' % (i, i % 7) for i in range(rows)), types="infer")
    shared.finished(name)
    frame = pandas.DataFrame({"a": range(rows), "b": [f"x,{i % 7}" for i in range(rows)]})
    pandas.testing.assert_frame_equal(pandas.read_csv(io.BytesIO(whole(shared, name, "text/csv"))), frame)
    with pyarrow.ipc.open_stream(whole(shared, name, "application/vnd.apache.arrow.stream")) as stream:
        pandas.testing.assert_frame_equal(stream.read_pandas(), frame)
    lines = whole(shared, name, "application/x-ndjson").splitlines()
    assert len(lines) == rows and json.loads(lines[-1]) == {"_id": rows, "a": rows - 1, "b": f"x,{(rows - 1) % 7}"}
    chosen = whole(shared, name, "text/csv", query='{"b": "x,3", "a": {"$gte": 50000}}', fields="a")
    assert pandas.read_csv(io.BytesIO(chosen))["a"].tolist() == [i for i in range(50_000, rows) if i % 7 == 3]


def test_a_whole_dataset_is_refused_as_a_page_is(shared):
    name = unique()
    shared.upload(name, b"a\n1\n")
    shared.finished(name)
    for query, pointer in (({"fields": "b"}, "fields"), ({"query": '{"a": {"$near": 1}}'}, "query")):
        answer = shared.http.get(f"{PREFIX}/dataset/csv/{name}", params=query, headers={"Accept": "text/csv"})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (406, pointer)
    broken = unique()
    shared.upload(broken, b"a,b\n1\n")
    assert shared.ended(broken)["status"] == "failed"
    assert shared.http.get(f"{PREFIX}/dataset/csv/{broken}", headers={"Accept": "text/csv"}).status_code == 404
    page = shared.http.get(f"{PREFIX}/dataset/csv/{name}", headers={"Accept": "application/json, text/csv"})
    assert page.json()["result"][1] == {"_id": 1, "a": "1"} and page.headers["vary"] == "Accept"


def test_deleting_gives_back_what_upload_and_table_took(shared):
    import random

    name = unique()
    content = b"a\n" + b"".join(b"%.18f\n" % random.random() for _ in range(20_000))
    shared.upload(name, content)
    shared.ended(name)
    assert shared.delete(f"/dataset/csv/{name}").json()["bytesFreed"] > len(content)
