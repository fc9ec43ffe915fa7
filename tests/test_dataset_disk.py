"""What disks and other people do to datasets: full, cut short, deleted while they are read."""

import contextlib
import random
import subprocess

import pytest
from support import PREFIX, Server, unique

STREAM = {"Accept": "text/csv"}


def table(rows, seed=33):
    chance = random.Random(seed)
    return b"a,b\n" + b"".join(b"%d,%.17f\n" % (i, chance.random()) for i in range(rows))


def objects(server):
    return {path for path in (server.data / "store" / "objects").glob("*/*")}


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("types", [{}, {"types": "infer"}])
def test_a_full_disk_fails_the_ingest_and_harms_nothing_else(tmp_path, types):
    with small_disk(tmp_path / "disk", "32m") as disk, Server(disk / "data") as server:
        server.upload("before", b"a\n1\n")
        server.finished("before")
        assert server.upload("large", table(1_100_000), **types).status_code == 201  # 26 MB; the table takes some 10 more
        step = server.ended("large")
        assert step["status"] == "failed" and "No space left on device" in step["exception"], step
        assert server.rows("before") == [{"_id": 1, "a": "1"}]
        server.delete("/dataset/csv/large")
        server.upload("after", b"a\n2\n")
        server.finished("after")
        assert list((server.data / "store" / "staging").iterdir()) == []


def test_a_table_that_was_cut_short_is_an_error_and_no_more(tmp_path):
    with Server(tmp_path / "data") as server:
        server.upload("whole", table(50_000))
        server.finished("whole")
        before = objects(server)
        server.upload("cut", table(200_000, seed=7))
        server.finished("cut")
        for path in objects(server) - before:
            path.chmod(0o600)
            with open(path, "r+b") as file:
                file.truncate(path.stat().st_size // 2)
        page = server.get("/dataset/csv/cut", skip=150_000)
        assert page.status_code == 500 and "stored part" in page.json()["detail"], page.text
        made = server.post("/transform/projection", {"inputDatasetName": "cut", "outputDatasetName": "less", "names": ["a"]})
        assert made.status_code == 201
        failed = server.ended("less")
        assert failed["status"] == "failed" and "stored part" in failed["exception"], failed
        assert server.rows("whole", limit=2)[0]["a"] == "0"


def test_a_dataset_may_go_while_it_is_read(tmp_path):
    with Server(tmp_path / "data") as server:
        name, content = unique(), table(400_000)
        server.upload(name, content, types='{"a": "integer"}')
        server.finished(name)
        with server.http.stream("GET", f"{PREFIX}/dataset/csv/{name}", headers=STREAM) as answer:
            pieces = answer.iter_bytes()
            first = next(pieces)
            assert server.http.delete(f"{PREFIX}/dataset/csv/{name}").status_code == 200
            text = first + b"".join(pieces)
        assert text.count(b"\n") == 400_001
        assert text.splitlines()[-1].startswith(b"399999,")
        assert server.get(f"/dataset/csv/{name}").status_code == 404


def test_of_two_ingests_of_one_name_the_first_counts(tmp_path):
    with Server(tmp_path / "data") as server:
        assert server.upload("one", table(100_000)).status_code == 201
        refused = server.upload("one", b"a\n1\n")
        assert refused.status_code == 409, refused.text
        server.finished("one")
        assert server.step("one")["rows"] == 100_000
