"""Results in a bucket (--store s3://…): moto's server, real HTTP and signatures; and what a bucket that refuses, cuts short or lies does to a server."""

import contextlib
import subprocess

import pytest

import s3
from group import leads, ready
from support import BINARY, Server, eventually, free_port, unique

COUNT = "response = len(x)"
ROWS = 50_000  # so many are a file, not a part of their record


@pytest.fixture(scope="module")
def bucket():
    with s3.running() as made:
        yield made


@pytest.fixture
def place(bucket, monkeypatch, tmp_path):
    """A prefix of the test's own, for a server with credentials."""
    s3.forget(monkeypatch, tmp_path)
    s3.configure(monkeypatch, bucket)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return f"s3://lake/{unique('results')}"


def objects(bucket, place):
    found = bucket.client.list_objects_v2(Bucket="lake", Prefix=place.removeprefix("s3://lake/") + "/objects/")
    return {each["Key"].rpartition("/")[2] for each in found.get("Contents", [])} - {""}


def make(server, name="long"):
    server.upload(name, b"a\n" + b"".join(b"%d\n" % (i * i) for i in range(ROWS)))
    server.finished(name)
    return content(server, name)


def content(server, name="long"):
    return server.rows(name, skip=ROWS - 2, limit=5)


@contextlib.contextmanager
def meddled(bucket, meddle):
    bucket.meddle = meddle
    try:
        yield
    finally:
        bucket.meddle = None


def test_results_are_in_the_bucket_and_outlive_the_machine(bucket, place, tmp_path):
    with Server(tmp_path / "data", "--store", place) as server:
        value = make(server)
        made = objects(bucket, place)
        assert made and not (tmp_path / "data" / "store").exists()
        server.function("count", COUNT, functionParameters={"x": "$long"})
        server.finished("count")
        server.kill()
        for path in sorted((tmp_path / "data" / "store-cache").rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()  # the disk was another one
        server.start()
        assert content(server) == value
        server.function("again", COUNT, functionParameters={"x": "$long"})
        server.finished("again")
        assert server.get("/step/again/artifact", format="json").json() == ROWS
        eventually(lambda: objects(bucket, place) == made)  # but for the artifact that was just sent
        for name in ("again", "count"):
            assert server.delete(f"/function/python/{name}").status_code == 200
        assert server.delete("/dataset/csv/long").status_code == 200
        eventually(lambda: objects(bucket, place) == set())
        seen = server.function("look", "import os\nprint(sorted(name for name in os.environ if name.startswith('AWS')))\nresponse = None")
        assert seen.status_code == 201
        server.log_until("look", "[]")


def test_a_result_of_many_parts(bucket, place, tmp_path):
    """Longer than what goes in one request."""
    size = 40 << 20
    with Server(tmp_path / "data", "--store", place) as server:
        server.function("long", f"import os\nresponse = os.urandom({size})")
        server.finished("long")
        server.stop()
        (found,) = [each["Size"] for each in bucket.client.list_objects_v2(Bucket="lake", Prefix=place.removeprefix("s3://lake/") + "/objects/")["Contents"]]
        assert found >= size
        subprocess.run(["rm", "-rf", tmp_path / "data" / "store-cache"], check=True)
        server.start()
        server.function("length", COUNT, functionParameters={"x": "$long"})
        server.finished("length")
        assert server.get("/step/length/artifact", format="json").json() == size


def answer(start_response, status, body=b""):
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


def test_a_bucket_that_refuses_for_a_while_is_asked_again(bucket, place, tmp_path):
    refusals = []

    def refuse_two(environ, start_response, application):
        if environ["REQUEST_METHOD"] in ("PUT", "POST") and len(refusals) < 2:
            refusals.append(environ["PATH_INFO"])
            return answer(start_response, "503 Slow Down")
        return application(environ, start_response)

    with Server(tmp_path / "data", "--store", place) as server, meddled(bucket, refuse_two):
        make(server)
        assert len(refusals) == 2


def test_a_bucket_that_refuses_fails_the_step_and_says_so(bucket, place, tmp_path):
    with Server(tmp_path / "data", "--store", place) as server:
        value = make(server)
        with meddled(bucket, lambda environ, start_response, application: answer(start_response, "403 Forbidden")):
            server.function("refused", "response = list(range(100_000))")
            step = server.ended("refused")
            assert step["status"] == "failed" and "the store (--store) cannot be asked now" in step["exception"], step
            assert content(server) == value  # it is here, too
        server.function("after", "response = list(range(100_000))")
        server.finished("after")


def test_what_is_not_what_was_stored_is_never_served(bucket, place, tmp_path):
    with Server(tmp_path / "data", "--store", place) as server:
        value = make(server)
        server.stop()
        subprocess.run(["rm", "-rf", tmp_path / "data" / "store-cache"], check=True)
        server.start()

        def cut_short(environ, start_response, application):
            parts = []
            body = b"".join(application(environ, lambda status, headers, *more: parts.append((status, headers)) or parts.append))
            status, headers = parts[0]
            if environ["REQUEST_METHOD"] == "GET" and "/objects/" in environ["PATH_INFO"]:
                body = bytes(len(body))
            start_response(status, headers)
            return [body]

        with meddled(bucket, cut_short):
            refused = server.get("/dataset/csv/long", skip=ROWS - 2, limit=5)
            assert refused.status_code == 500 and "is not what was stored" in refused.json()["detail"], refused.text
        assert content(server) == value


def test_who_is_refused_at_the_start(bucket, place, tmp_path, monkeypatch):
    def refusal(*arguments):
        with pytest.raises(RuntimeError) as refused:
            Server(*arguments)
        return str(refused.value)

    with Server(tmp_path / "data", "--store", place) as server:
        make(server)
        made = objects(bucket, place)
    assert f"give --store {place}" in refusal(tmp_path / "data")
    assert "belongs to another catalog" in refusal(tmp_path / "other", "--store", place)
    assert "s3://nowhere/x: there is no such bucket" in refusal(tmp_path / "third", "--store", "s3://nowhere/x")
    assert "not of the form s3://BUCKET/PREFIX" in refusal(tmp_path / "fourth", "--store", "s3://key:secret@lake/x")
    ended = subprocess.run([BINARY, "backup", tmp_path / "backup", "--data", tmp_path / "data"], capture_output=True, text=True)
    assert ended.returncode == 1 and "in a bucket" in ended.stderr, ended.stderr
    told = subprocess.run([BINARY, "doctor", "--data", tmp_path / "data", "--store", place], capture_output=True, text=True, timeout=60)
    assert f"{place} answers" in told.stdout
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    line = refusal(tmp_path / "data", "--store", place)
    assert f"--store {place}" in line and s3.SECRET not in line
    assert objects(bucket, place) == made


def test_servers_of_a_group_share_a_bucket(bucket, place, postgres, database, tmp_path):
    def member(name):
        port = free_port()
        (tmp_path / name).mkdir()
        return Server(tmp_path / name / "data", "--catalog", postgres.url(database), "--store", place, "--advertise", f"http://127.0.0.1:{port}", port=port, check=False)

    with member("a") as a:
        eventually(lambda: leads(a))
        with member("b") as b:
            eventually(lambda: ready(b))
            value = make(a)
            assert content(b) == value
            a.kill()
            eventually(lambda: leads(b))
            assert content(b) == value
            b.function("count", COUNT, functionParameters={"x": "$long"})
            b.finished("count")
