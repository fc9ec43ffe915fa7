"""Results in a folder of their own (--store), such as a mount that several machines have: who takes it, who is refused, what a backup and a copy of
the catalog make of it."""

import subprocess

import pytest

from support import BINARY, Server

COUNT = "response = len(x)"
ROWS = 50_000  # so many are a file, not a part of their record


def make(server, name="long"):
    server.upload(name, b"a\n" + b"".join(b"%d\n" % (i * i) for i in range(ROWS)))
    server.finished(name)
    return content(server, name)


def content(server, name="long"):
    return server.rows(name, skip=ROWS - 2, limit=5)


def objects(store):
    return {path.name for path in (store / "objects").glob("*/*")}


def test_results_are_in_the_store_and_outlive_a_kill(tmp_path):
    store = tmp_path / "mount" / "results"
    with Server(tmp_path / "data", "--store", f"file://{store}") as server:
        value = make(server)
        made = objects(store)
        assert made and not (tmp_path / "data" / "store").exists()
        server.kill()
        server.start()
        assert content(server) == value
        server.function("count", COUNT, functionParameters={"x": "$long"})
        server.finished("count")
        assert server.delete("/function/python/count").status_code == 200
        assert objects(store) == made


def refusal(*arguments):
    with pytest.raises(RuntimeError) as refused:
        Server(*arguments)
    return str(refused.value)


def test_who_is_refused(tmp_path):
    store, data = tmp_path / "results", tmp_path / "data"
    with Server(data, "--store", store) as server:
        make(server)
        made = objects(store)
    assert f"give --store {store}" in refusal(data)
    assert "belongs to another catalog" in refusal(tmp_path / "other", "--store", store)
    with Server(tmp_path / "inside") as server:
        make(server)
    assert "holds results: move it to" in refusal(tmp_path / "inside", "--store", tmp_path / "new")
    assert "neither a folder nor file:///FOLDER" in refusal(tmp_path / "third", "--store", "ftp://lake/results")
    (tmp_path / "file").write_text("")
    assert "--store" in refusal(tmp_path / "fourth", "--store", tmp_path / "file" / "results")
    assert objects(store) == made


def test_results_that_were_moved_by_hand_are_taken(tmp_path):
    with Server(tmp_path / "data") as server:
        value = make(server)
    (tmp_path / "data" / "store").rename(tmp_path / "results")
    with Server(tmp_path / "data", "--store", tmp_path / "results") as server:
        assert content(server) == value
    (tmp_path / "results").rename(tmp_path / "elsewhere")  # the mount has another name now
    with Server(tmp_path / "data", "--store", tmp_path / "elsewhere") as server:
        assert content(server) == value


def test_a_backup_has_them(tmp_path):
    with Server(tmp_path / "data", "--store", tmp_path / "results") as server:
        value = make(server)
    for command in (("backup", tmp_path / "backup", "--data", tmp_path / "data"), ("restore", tmp_path / "backup", "--data", tmp_path / "again")):
        subprocess.run([BINARY, *command], check=True, capture_output=True, timeout=60)
    with Server(tmp_path / "again") as server:
        assert content(server) == value


@pytest.fixture
def url(postgres, database):
    return postgres.url(database)


def test_another_machine_takes_over(url, tmp_path):
    """It has the catalog and the store, and a data folder of its own."""
    options = ("--catalog", url, "--store", tmp_path / "mount")
    with Server(tmp_path / "first", *options) as first:
        value = make(first)
        first.function("waits", "import time\ntime.sleep(600)")
        first.running("waits")
        first.kill()
        first.check = False  # what it leaves in its data folder nobody sweeps any more
        with Server(tmp_path / "second", *options) as second:
            assert content(second) == value
            second.running("waits")  # again
            assert second.post("/step/waits/cancel", {}).status_code == 200
            second.function("count", COUNT, functionParameters={"x": "$long"})
            second.finished("count")


def test_a_result_that_the_first_machine_did_not_write_to_its_end_is_made_again(url, tmp_path):
    options = ("--catalog", url, "--store", tmp_path / "mount")
    with Server(tmp_path / "first", *options) as first:
        value = make(first)
        first.kill()
        first.check = False
    (tmp_path / "mount" / "running").write_text("the start of another machine\n")
    (path,) = (each for each in (tmp_path / "mount" / "objects").glob("*/*") if each.read_bytes().startswith(b"PAR1"))
    path.chmod(0o600)
    path.write_bytes(b"\0" * path.stat().st_size)
    with Server(tmp_path / "second", *options) as second:
        step = second.finished("long")
        assert step["revision"] == 2 and content(second) == value


def test_a_catalog_that_moves_takes_its_store_along(url, tmp_path):
    data, store = tmp_path / "data", tmp_path / "results"
    with Server(data, "--store", store) as server:
        value = make(server)
    for places, options in (((data, url), ("--catalog", url)), ((url, data), ())):
        subprocess.run([BINARY, "catalog", "copy", *places], check=True, capture_output=True, timeout=60)
        with Server(data, "--store", store, *options) as server:
            assert content(server) == value
