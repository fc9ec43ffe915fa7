"""`orchestra catalog copy`: a data folder's catalog goes into a PostgreSQL and comes back, killed wherever it is (skipped where there is none to start)."""

import os
import sqlite3
import subprocess

import pytest

import postgres as databases
from support import BINARY, HOME, Server

DOUBLE = "print('doubling')\nresponse = x * 2"


@pytest.fixture
def data(tmp_path):
    """A folder with steps, one of them failed and one typed in place, a workflow, an observer and a receipt."""
    folder = tmp_path / "data"
    with Server(folder) as server:
        document = {"name": "small", "steps": [
            {"service": "function/python", "name": "one", "function": DOUBLE, "functionParameters": {"x": 21}, "labels": {"team": "blü"}},
            {"service": "function/python", "name": "two", "function": DOUBLE, "functionParameters": {"x": "$one"}}]}
        assert server.post("/workflow", document).status_code in (200, 201, 202)
        server.finished("two")
        server.upload("table", b"a,b\n1,x\n2,y\n")
        server.finished("table")
        assert server.patch("/transform/dataType", {"inputDatasetName": "table", "types": {"a": "number"}}).status_code == 200
        server.finished("table")
        assert server.post("/observe", {"name": "table"}).status_code == 201
        server.function("broken", "raise ValueError('no \\0 such thing')")
        server.ended("broken")
        answer = server.http.post("/api/learningOrchestra/v1/function/python", headers={"Idempotency-Key": "once"}, json={"name": "three", "function": "response = 3"})
        assert answer.status_code == 201, answer.text
        server.finished("three")
    return folder


def copy(*places, faults=""):
    environment = dict(os.environ, ORCHESTRA_HOME=str(HOME), ORCHESTRA_FAULTS=faults)
    return subprocess.run([BINARY, "catalog", "copy", *places], env=environment, capture_output=True, text=True, timeout=60)


STEPS = {"one": "function/python", "two": "function/python", "table": "dataset/csv", "broken": "function/python", "three": "function/python"}


def seen(server):
    """What the API says of everything, with the numbers of events."""
    return ([server.step(name) for name in STEPS], server.get("/workflow/small").json(), server.rows("table"),
            [server.get(f"/{service}/{name}/metadata").json() for name, service in STEPS.items()],
            [server.get(f"/observe/{name}", wait=0, after=0).json() for name in STEPS])


def seen_with(folder, *options):
    with Server(folder, *options) as server:
        return seen(server)


def test_there_and_back(postgres, database, data):
    url = postgres.url(database)
    before = seen_with(data)
    there = copy(data, url)
    assert there.returncode == 0 and there.stdout.startswith("copied: 5 steps, "), there.stderr
    assert not (data / "catalog.sqlite").exists() and (data / "catalog.sqlite.copied").exists()
    with Server(data, "--catalog", url) as server:
        assert seen(server) == before
        again = server.http.post("/api/learningOrchestra/v1/function/python", headers={"Idempotency-Key": "once"}, json={"name": "three", "function": "response = 3"})
        assert again.status_code == 201 and again.headers["Idempotency-Replayed"] == "true"
        server.function("four", DOUBLE, functionParameters={"x": "$three"})
        server.finished("four")
    back = copy(url, data)
    assert back.returncode == 0 and back.stdout.startswith("copied: 6 steps, "), back.stderr
    with Server(data) as server:
        assert seen(server)[:4] == before[:4]
        server.function("five", DOUBLE, functionParameters={"x": "$four"})
        server.finished("five")
    ids = [row[0] for row in sqlite3.connect(data / "catalog.sqlite").execute("SELECT id FROM step ORDER BY id")]
    assert len(set(ids)) == 7 and ids == sorted(ids)


@pytest.mark.parametrize("point", ["begun", "filled"])
def test_killed_on_the_way_there_it_can_be_made_again(postgres, database, data, point):
    url = postgres.url(database)
    before = seen_with(data)
    assert copy(data, url, faults=f"catalog.copy.{point}=abort").returncode == -9
    for options in ((), ("--catalog", url)):
        with pytest.raises(RuntimeError, match="PostgreSQL|catalog of its own"):
            Server(data, *options)
    ended = copy(data, url)
    assert ended.returncode == 0, ended.stderr
    assert seen_with(data, "--catalog", url) == before


@pytest.mark.parametrize("point", ["begun", "filled"])
def test_killed_on_the_way_back_it_can_be_made_again(postgres, database, data, point):
    url = postgres.url(database)
    assert copy(data, url).returncode == 0
    before = seen_with(data, "--catalog", url)
    assert copy(url, data, faults=f"catalog.copy.{point}=abort").returncode == -9
    with pytest.raises(RuntimeError, match="PostgreSQL"):
        Server(data)
    ended = copy(url, data)
    assert ended.returncode == 0, ended.stderr
    assert seen_with(data) == before


def test_killed_on_the_way_there_the_old_catalog_can_be_had_back(postgres, database, data):
    url = postgres.url(database)
    before = seen_with(data)
    assert copy(data, url, faults="catalog.copy.begun=abort").returncode == -9
    assert copy(url, data).returncode == 0
    assert seen_with(data) == before


def test_a_copy_that_fails_changes_nothing(postgres, database, data):
    before = seen_with(data)
    assert copy(data, postgres.url(database), faults="catalog.copy.begun=error").returncode == 1
    assert copy(data, postgres.url("absent")).returncode == 1
    assert seen_with(data) == before


def refusal(*places):
    ended = copy(*places)
    assert ended.returncode == 1 and databases.QUOTED not in ended.stderr and databases.PASSWORD not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    return ended.stderr


def test_what_is_refused(postgres, database, data, tmp_path):
    url = postgres.url(database)
    other = tmp_path / "other"
    with Server(other, "--catalog", url) as server:
        server.function("mine", "response = 1")
        server.finished("mine")
        assert str(other) in refusal(other, url)  # a server has the folder
        assert "another server holds the catalog" in refusal(data, url)
    assert "holds something already" in refusal(data, url)
    assert "in a PostgreSQL already" in refusal(other, url)
    assert f"{data} has a catalog already" in refusal(url, data)
    (tmp_path / "new").mkdir()
    assert "is not the data folder that was used with" in refusal(url, tmp_path / "new")
    assert f"there is no catalog in {tmp_path / 'new'}" in refusal(tmp_path / "new", url)
    assert list((tmp_path / "new").iterdir()) == []
    assert f"there is no folder {tmp_path / 'none'}" in refusal(tmp_path / "none", url)
    assert "one of the two must be a data folder" in refusal(url, url)
    assert "one of the two must be a data folder" in refusal(data, other)
    assert "--catalog" in refusal(data, "postgresql://ada@127.0.0.1:1/none")
    assert "orchestra catalog copy" in str(pytest.raises(RuntimeError, Server, data, "--catalog", url).value)
