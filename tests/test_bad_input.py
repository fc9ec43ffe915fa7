"""Bad input: a clear error that names the member and the value, and nothing changed."""

import concurrent.futures
import socket

import pytest

from support import PREFIX, FileServer, unique


def names(server):
    return {step["name"] for step in server.get("/step").json()["result"]}


@pytest.mark.parametrize("body, status, text", [
    (b"{", 400, "JSON"),
    (b"[1]", 400, "object"),
    (b'{"name": NaN}', 400, "JSON"),
    (b'{"a":' * 100 + b"1" + b"}" * 100, 400, "64"),
    (b'{"name": "a", "name": "b", "function": "x"}', 400, "name"),
    (b'{"name": 3, "function": "response = 1"}', 406, "name must be a text, not 3"),
    (b'{"name": "x"}', 406, "function is missing"),
    (b'{"name": "x", "function": "response = 1", "functionParameter": {}}', 406, 'did you mean "functionParameters"?'),
    (b'{"name": "x", "function": "response = 1", "timeout": -1}', 406, "timeout"),
    (b'{"name": "x", "function": "response = 1", "functionParameters": {"a": "$nobody"}}', 406, "nobody"),
    (b'{"name": "stream", "function": "response = 1"}', 406, "reserved"),
])
def test_bodies(shared, body, status, text):
    before = names(shared)
    answer = shared.http.post("/api/learningOrchestra/v1/function/python", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert text in answer.json()["detail"]
    assert answer.json()["result"] == answer.json()["detail"]
    assert names(shared) == before


@pytest.mark.parametrize("name", ["..", "a/b", "a\x00b", "x" * 129, "", "ä", "a b", "a.b"])
def test_names(shared, name):
    answer = shared.function(name, "response = 1")
    assert answer.status_code == 406
    assert answer.json()["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize("path", ["/step/..", "/step/%2e%2e", "/step/a%2fb", "/step/a%00b", "/step/%252e%252e", "/step/a%5cb", "/step//"])
def test_paths(shared, path):
    import socket

    with socket.create_connection(("127.0.0.1", shared.http.base_url.port)) as connection:
        connection.sendall(f"GET /api/learningOrchestra/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        status = int(connection.makefile("rb").readline().split()[1])
    assert status in (400, 404)


def test_a_taken_name(shared):
    name = unique()
    shared.function(name, "response = 1")
    answer = shared.function(name, "response = 2")
    assert answer.status_code == 409 and name in answer.json()["detail"]


def test_fifty_posts_of_one_name_have_one_winner(shared):
    name = unique()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda i: shared.function(name, f"response = {i}").status_code, range(50)))
    assert sorted(answers) == [201] + [409] * 49
    assert shared.ended(name)["status"] == "finished"


@pytest.mark.parametrize("content, text", [
    (b"", "empty"),
    (b"a,b\n1,2\n3\n", "row 2"),
    (b"a,a\n1,2\n", "a"),
    (b"a b,ab\n1,2\n", "ab"),
    (b"a,b\n" + 20_000 * b"1,2\n" + b"1,\xff\xfe\n", "row 20001, field 'b': '\\xff\\xfe' is not UTF-8"),  # behind what the guess looked at
    (b'a,b\n1,"open\n', "quote"),
    (b"<!DOCTYPE html><html></html>", "HTML"),
])
def test_csv_files(shared, content, text):
    name = unique()
    answer = shared.upload(name, content)
    if answer.status_code == 201:
        step = shared.ended(name)
        assert step["status"] == "failed", step
        assert text.lower() in step["exception"].lower(), step["exception"]
    else:
        assert answer.status_code == 406 and text in answer.json()["detail"]


def test_a_file_that_is_no_parquet_file_says_so(shared):
    name = unique()
    shared.http.post(f"{PREFIX}/dataset/parquet", params={"datasetName": name}, content=b"a,b\n1,2\n3,4\n", headers={"Content-Type": "application/octet-stream"})
    step = shared.ended(name)
    assert (step["status"], step["exception"]) == ("failed", "the file is no Parquet file: it does not begin with PAR1")


def test_a_header_alone_is_a_table_without_rows(shared):
    name = unique()
    shared.upload(name, b"a,b\n")
    step = shared.ended(name)
    assert (step["status"], step["rows"], step["fields"]) == ("finished", 0, ["a", "b"])


def test_a_field_of_10_mb_is_kept(shared):
    name = unique()
    shared.upload(name, b"a,b\n1," + b"x" * 10_000_000 + b"\n")
    assert shared.ended(name)["status"] == "finished"
    assert len(shared.rows(name)[0]["b"]) == 10_000_000


def serve_status(status, body=b"", headers=()):
    def handler(request):
        request.send_response(status)
        for key, value in headers:
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return handler


def break_off(request):
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    request.wfile.write(b"a,b\n1,2\n")
    request.wfile.flush()
    request.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("handler, text", [
    (serve_status(404), "404"),
    (serve_status(500), "500"),
    (serve_status(200, b"<html>no</html>", [("Content-Type", "text/html")]), "web page"),
    (break_off, ""),
])
def test_downloads(shared, handler, text):
    name = unique()
    with FileServer(handler) as files:
        assert shared.post("/dataset/csv", {"datasetName": name, "datasetURI": files.url + "/x.csv"}).status_code == 201
        step = shared.ended(name)
    assert step["status"] == "failed" and text in step["exception"] and files.url in step["exception"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "http://169.254.169.254/latest", "http://[::ffff:169.254.1.1]/",
                                 "http://2852039166/", "http://user:secret@127.0.0.1/", "gopher://x", "no url"])
def test_urls_that_are_refused(shared, url):
    answer = shared.post("/dataset/csv", {"datasetName": unique(), "datasetURI": url})
    assert answer.status_code in (403, 406)
    assert answer.json()["errors"][0]["pointer"] == "/datasetURI"


def test_a_redirect_to_a_refused_address_is_refused(shared):
    name = unique()
    with FileServer(serve_status(302, headers=[("Location", "http://169.254.169.254/x")])) as files:
        shared.post("/dataset/csv", {"datasetName": name, "url": files.url})
        step = shared.ended(name)
    assert step["status"] == "failed" and "169.254.169.254" in step["exception"]


def test_a_data_type_that_cannot_convert_leaves_the_dataset_as_it_was(shared):
    name = unique()
    shared.upload(name, b"a,b\n1,x\n2,y\nthree,z\n")
    shared.ended(name)
    assert shared.patch("/transform/dataType", {"inputDatasetName": name, "types": {"a": "number"}}).status_code == 200
    step = shared.until(name, lambda step: step.get("lastError"))
    assert step["status"] == "finished" and step["revision"] == 1
    assert all(part in step["lastError"] for part in ("a", "3", "three"))
    assert shared.rows(name)[0] == {"_id": 1, "a": "1", "b": "x"}


@pytest.mark.parametrize("types, text", [({"c": "number"}, "c"), ({"a": "float"}, "float"), ({}, "types"), ({"a": 1}, "1")])
def test_data_types_that_are_refused(shared, types, text):
    name = unique()
    shared.upload(name, b"a,b\n1,2\n")
    shared.ended(name)
    answer = shared.patch("/transform/dataType", {"inputDatasetName": name, "types": types})
    assert answer.status_code == 406 and text in answer.json()["detail"]


def test_a_projection_of_an_unknown_field_names_the_nearest(shared):
    name = unique()
    shared.upload(name, b"Survived,b\n1,2\n")
    shared.ended(name)
    answer = shared.post("/transform/projection", {"inputDatasetName": name, "outputDatasetName": unique(), "names": ["Survivd"]})
    assert answer.status_code == 406 and "Survived" in answer.json()["detail"]


@pytest.mark.parametrize("classifiers, text", [(["XX"], "XX"), (["LR", "LR"], "twice"), ([], "classifiersList"), ("LR", "LR")])
def test_classifiers(shared, classifiers, text):
    train = unique()
    shared.upload(train, b"a,b\n1,2\n")
    answer = shared.post("/builder/sparkml", {"trainDatasetName": train, "testDatasetName": train, "modelingCode": "x",
                                              "classifiersList": classifiers})
    assert answer.status_code == 406 and text in answer.json()["detail"]


def test_a_body_over_16_mb_is_refused(shared):
    answer = shared.function(unique(), "#" * (17 << 20))
    assert answer.status_code == 413


def test_queries_that_are_refused(shared):
    name = unique()
    shared.upload(name, b"a,b\n1,2\n")
    shared.ended(name)
    assert "$where" in shared.get(f"/dataset/csv/{name}", query='{"$where": "1"}').json()["detail"]
    assert shared.get(f"/dataset/csv/{name}", query="{").status_code == 400
    assert shared.get(f"/dataset/csv/{name}", limit="-1").status_code == 406
