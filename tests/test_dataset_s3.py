"""Datasets from S3: moto's server, real HTTP and signatures, against the built server. And what is refused of s3://."""

import gzip
import io
import json
import threading

import boto3
import psutil
import pyarrow
import pytest
import requests
from pyarrow import parquet

import s3
from s3 import SECRET, USER, configure
from support import Server, unique

BLOCK = 8 * 1024 * 1024  # of the process that reads


@pytest.fixture(scope="module")
def store():
    with s3.running() as made:
        yield made


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Nothing of S3 but what the test sets."""
    s3.forget(monkeypatch, tmp_path)
    return monkeypatch


@pytest.fixture(scope="module")
def server(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s3")
    with pytest.MonkeyPatch.context() as environment:
        s3.forget(environment, folder)
        configure(environment, store)
        started = Server(folder / "data")
    with started:
        yield started


def read(server, url, service="dataset/csv", **more):
    name = unique("s3")
    answer = server.post(f"/{service}", {"datasetName": name, "datasetURI": url, **more})
    assert answer.status_code == 201, answer.text
    return name


def readers(server):
    return [each for each in server.descendants() if "orchestra_remote_file.py" in " ".join(each.cmdline())]


def test_csv_with_a_name_that_is_taken_literally(server, store):
    name = read(server, store.put("a folder/n%20 ä?x#1.csv", b"id,zip\n1,007\n2,\n"))
    step = server.finished(name)
    assert server.rows(name) == [{"_id": 1, "id": "1", "zip": "007"}, {"_id": 2, "id": "2", "zip": ""}]
    assert (step["url"], step["fields"], step["rows"]) == ("s3://lake/a folder/n%20 ä?x#1.csv", ["id", "zip"], 2)


def test_packed_csv_whose_types_hold_only_at_its_beginning(server, store):
    """It is read twice more, from the copy that is kept of it: not from S3."""
    lines = 400_000
    content = gzip.compress(b"n,x\n" + b"".join(b"%d,1\n" % i for i in range(lines)) + b"end,2\n", 1)
    url = store.put("late.csv.gz", content)
    store.ranges.clear()
    name = read(server, url, types="infer")
    assert server.finished(name)["rows"] == lines + 1
    assert server.rows(name, skip=lines - 1, limit=3) == [{"_id": lines, "n": str(lines - 1), "x": 1}, {"_id": lines + 1, "n": "end", "x": 2}]
    assert len(store.ranges) == 1


def test_errors_name_row_field_and_value(server, store):
    name = read(server, store.put("bad.csv", b"a,b\n1,2\n3,x\n"), types={"b": "integer"})
    step = server.ended(name)
    assert step["status"] == "failed" and "'x'" in step["exception"] and "row 2" in step["exception"] and "'b'" in step["exception"], step["exception"]


def test_a_large_object_comes_in_blocks_and_says_how_far_it_is(server, store):
    row = b"%07d," + b"x" * 90 + b"\n"
    content = b"n,text\n" + b"".join(row % i for i in range(250_000))
    assert 2 * BLOCK < len(content) < 3 * BLOCK
    url = store.put("large.csv", content)
    store.ranges.clear()
    store.hold(2 * BLOCK)
    name = read(server, url)
    server.progress_until(name, lambda progress: progress.get("total") == len(content) and 0 < progress["bytes"] <= 2 * BLOCK)
    store.open()
    assert server.finished(name)["rows"] == 250_000
    assert sorted(int(each[6:].partition("-")[0]) for each in store.ranges) == [0, BLOCK, 2 * BLOCK]
    assert server.rows(name, skip=249_999)[0]["n"] == "0249999"


def test_parquet_and_any_file(server, store):
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"a": [1, None], "s": ["x", "y"]}), file)
    url = store.put("t.parquet", file.getvalue())
    table, blob = read(server, url, "dataset/parquet"), read(server, url, "dataset/generic")
    server.finished(table)
    assert server.get(f"/dataset/parquet/{table}").json()["result"][1:] == [{"_id": 1, "a": 1, "s": "x"}, {"_id": 2, "a": None, "s": "y"}]
    server.finished(blob)
    assert server.get(f"/step/{blob}/artifact").content == file.getvalue()


def test_an_empty_object_is_no_csv_file_and_a_file(server, store):
    url = store.put("empty", b"")
    step = server.ended(read(server, url))
    assert step["status"] == "failed" and "empty" in step["exception"]
    blob = read(server, url, "dataset/generic")
    server.finished(blob)
    assert server.get(f"/step/{blob}/artifact").content == b""


@pytest.mark.parametrize("key, text", [("lake/nope.csv", "there is no s3://lake/nope.csv"), ("nolake/x.csv", "s3://nolake/x.csv"), ("lake/folder", "is a folder")])
def test_what_is_not_there(server, store, key, text):
    store.put("folder/inside.csv", b"a\n1\n")
    step = server.ended(read(server, f"s3://{key}"))
    assert step["status"] == "failed" and text in step["exception"], step["exception"]


def test_an_object_that_changes_while_it_is_read(server, store):
    url = store.put("changes.csv", b"a\n" + b"1\n" * BLOCK)
    store.hold(BLOCK)
    name = read(server, url)
    assert store.reached.wait(60)
    store.put("changes.csv", b"a\n" + b"2\n" * BLOCK + b"3\n")
    store.open()
    step = server.ended(name)
    assert (step["status"], step["exception"]) == ("failed", f"{url} was changed while it was read")


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_a_step_that_is_stopped_ends_its_process(server, store, how):
    url = store.put("stopped.csv", b"a\n" + b"1\n" * BLOCK)
    store.hold(BLOCK)
    name = read(server, url, **({"timeout": 3} if how == "timeout" else {}))
    if how == "cancel":
        assert store.reached.wait(60)
        (reader,) = readers(server)
        assert server.post(f"/step/{name}/cancel", {}).status_code == 200
        assert psutil.wait_procs([reader], timeout=30)[1] == []
    assert server.ended(name)["status"] == ("cancelled" if how == "cancel" else "failed")
    store.open()
    assert psutil.wait_procs(readers(server), timeout=30)[1] == []


def test_a_server_that_is_killed_meanwhile_reads_again(store, environment, tmp_path):
    configure(environment, store)
    rows = BLOCK
    url = store.put("killed.csv", b"a\n" + b"1\n" * rows)
    store.ranges.clear()
    with Server(tmp_path / "data") as server:
        store.hold(BLOCK)
        name = read(server, url)
        assert store.reached.wait(60)
        (reader,) = readers(server)
        server.kill()
        assert psutil.wait_procs([reader], timeout=30)[1] == []
        store.open()
        server.start()
        assert server.finished(name)["rows"] == rows
        assert sum(each.startswith("bytes=0-") for each in store.ranges) == 2


def test_user_code_and_what_is_kept_know_nothing_of_the_credentials(server, store):
    server.finished(read(server, store.put("seen.csv", b"a\n1\n")))
    code = "import os\nresponse = [open('/proc/%s/environ' % each).read() for each in ('self', os.getppid())] + [repr(dict(os.environ))]"
    name = unique("seen")
    server.function(name, code)
    server.finished(name)
    seen = json.dumps(server.get(f"/step/{name}/artifact", format="json").json())
    assert "PATH" in seen and "AWS_" not in seen and USER not in seen and SECRET not in seen
    for path in server.data.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in server.log_path.read_text()


def test_credentials_that_do_not_hold(store, environment, tmp_path):
    """moto checks them once it is told to: those of a user who may do everything, before that of nobody."""
    url = store.put("guarded.csv", b"a\n1\n")
    iam = boto3.client("iam", endpoint_url=store.url, region_name="us-east-1", aws_access_key_id=USER, aws_secret_access_key=SECRET)
    iam.create_user(UserName="ada")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName="ada", PolicyName="all", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    configure(environment, store)
    environment.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    requests.post(f"{store.url}/moto-api/reset-auth", data="0", timeout=10)
    try:
        environment.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        with Server(tmp_path / "data") as server:
            server.finished(read(server, url))
        environment.setenv("AWS_SECRET_ACCESS_KEY", "a/wrong+one")
        with Server(tmp_path / "data") as server:
            step = server.ended(read(server, url))
            assert step["status"] == "failed" and url in step["exception"] and "credentials" in step["exception"], step["exception"]
            assert "wrong+one" not in json.dumps(step) and key["AccessKeyId"] not in json.dumps(step)
    finally:
        requests.post(f"{store.url}/moto-api/reset-auth", data="inf", timeout=10)


def test_credentials_of_a_file_and_a_profile(store, environment, tmp_path):
    url = store.put("profile.csv", b"a\n1\n")
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(f"[default]\naws_access_key_id = {USER}\naws_secret_access_key = {SECRET}\n")
    environment.setenv("AWS_ENDPOINT_URL_S3", store.url)
    with Server(tmp_path / "data") as server:
        server.finished(read(server, url))


def refused(server, url, service="dataset/csv"):
    name = unique("refused")
    answer = server.post(f"/{service}", {"datasetName": name, "datasetURI": url})
    assert answer.status_code == 406, answer.text
    assert server.get(f"/step/{name}").status_code == 404
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/datasetURI"
    return error["detail"]


def test_a_server_without_credentials_says_what_to_set_up(environment, tmp_path):
    with Server(tmp_path / "data") as server:
        for service in ("dataset/csv", "dataset/parquet", "dataset/generic"):
            detail = refused(server, "s3://lake/a.csv", service)
            assert "AWS_ACCESS_KEY_ID" in detail and "AWS_ENDPOINT_URL" in detail and "s3://lake/a.csv" in detail


def test_what_no_url_may_hold(server):
    detail = refused(server, "s3://key:open@lake/a.csv")
    assert "user name or password" in detail and "open" not in detail
    for url in ("s3://lake", "s3://lake/", "s3://lake/folder/", "s3:///a.csv", "s3://la ke/a.csv", "file:///etc/passwd"):
        assert url in refused(server, url)


def test_a_result_of_s3_is_made_again_whatever_is_remembered(server, store):
    url = store.put("again.csv", b"a\n1\n")
    first = read(server, url, cache="use")
    server.finished(first)
    store.put("again.csv", b"a\n2\n")
    second = read(server, url, cache="use")
    server.finished(second)
    assert [server.rows(name)[0]["a"] for name in (first, second)] == ["1", "2"]
