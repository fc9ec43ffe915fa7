"""Permissions that go away while the server works, and come back. Root may do everything, so the server is somebody else."""

import contextlib
import os
import pathlib
import random
import subprocess
import tempfile
import threading

import pytest
from support import BINARY, HOME, PREFIX, FileServer, Server

NOBODY = 65534
# Becomes NOBODY. What it has to read may lie in a folder that is closed to others, as /root is: in a mount namespace of its own such
# a folder has nothing else in it, and is open.
BECOME = """
stash=$1 closed=$2; shift 2
for folder in $closed; do mkdir -p "$stash/$folder" && mount --rbind "$folder" "$stash/$folder"; done
for folder in $closed; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
while [ "$1" != -- ]; do mkdir -p "$1" && mount --rbind "$stash/$1" "$1"; shift; done
exec setpriv --reuid=%d --regid=%d --clear-groups "$@"
""" % (NOBODY, NOBODY)


def closed_above(path):
    """The outermost folder above it that others may not go through."""
    folders = [folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001]
    return folders[0] if folders else None


def becoming_nobody(stash):
    """The beginning of a command that others than root can give, too: it then has no need of it."""
    if os.getuid() != 0:
        return ()
    environments = [path.resolve() for path in (HOME / "build" / "environments").iterdir()]
    pythons = [(path / "bin" / "python").resolve().parent.parent for path in environments]
    needed = {HOME, BINARY.resolve().parent, *environments, *pythons}
    hidden = {path: closed_above(path) for path in needed if closed_above(path)}
    start = ("unshare", "--mount", "sh", "-ec", BECOME, "sh", str(stash), " ".join(map(str, set(hidden.values()))), *map(str, hidden))
    tried = subprocess.run([*start, "--", BINARY, "--version"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"the server cannot be somebody else than root here: {tried.stderr.strip()}")
    return (*start, "--")


@pytest.fixture
def folder():
    """A folder of NOBODY's."""
    with tempfile.TemporaryDirectory(prefix="permissions-", dir="/tmp", ignore_cleanup_errors=True) as made:
        path = pathlib.Path(made)
        (path / "stash").mkdir()
        path.chmod(0o755)
        if os.getuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        yield path


@pytest.fixture
def server(folder):
    with Server(folder / "data", through=becoming_nobody(folder / "stash")) as server:
        yield server


@contextlib.contextmanager
def closed(path, mode=0):
    before = path.stat().st_mode & 0o777
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def table(rows, seed=33):
    chance = random.Random(seed)
    return b"a,b\n" + b"".join(b"%d,%.17f\n" % (i, chance.random()) for i in range(rows))


def staging(server):
    return list((server.data / "store" / "staging").iterdir())


def again(server):
    assert server.stop() == 0
    server.start()


class Halting:
    """Serves a file, of which the second half is sent when the test says so."""

    def __init__(self, content):
        self.content = content
        self.half_sent, self.go_on = threading.Event(), threading.Event()

    def __call__(self, request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(self.content)))
        request.end_headers()
        half = len(self.content) // 2
        with contextlib.suppress(ConnectionError):  # whoever fetched it has failed, or was killed
            request.wfile.write(self.content[:half])
            self.half_sent.set()
            self.go_on.wait(60)
            request.wfile.write(self.content[half:])


@pytest.mark.parametrize("part", ["store/staging", "store/objects", "store", ""])
@pytest.mark.parametrize("types", [{}, {"types": "infer"}], ids=["texts", "inferred"])
def test_permission_lost_while_an_ingest_runs(server, part, types):
    server.upload("before", b"a\n1\n")
    server.finished("before")
    halting = Halting(table(200_000))
    with FileServer(halting) as files:
        assert server.post("/dataset/csv", {"datasetName": "large", "datasetURI": files.url + "/x.csv", **types}).status_code == 201
        assert halting.half_sent.wait(60)
        with closed(server.data / part):
            halting.go_on.set()
            step = server.ended("large")
            assert step["status"] == "failed" and "Permission denied" in step["exception"], step
            assert server.post("/dataset/csv", {"datasetName": "meanwhile", "datasetURI": files.url + "/x.csv"}).status_code == 201
            step = server.ended("meanwhile")
            assert step["status"] == "failed" and "Permission denied" in step["exception"], step
        assert server.upload("after", b"a\n2\n").status_code == 201
        server.finished("after")
    again(server)
    assert staging(server) == []
    assert server.rows("before") == [{"_id": 1, "a": "1"}] and server.rows("after") == [{"_id": 1, "a": "2"}]
    assert {name: server.step(name)["status"] for name in ("large", "meanwhile")} == {"large": "failed", "meanwhile": "failed"}


def object_of(server, name):
    size = server.step(name)["bytes"]
    return next(path for path in (server.data / "store" / "objects").glob("*/*") if path.stat().st_size == size)


def first_cell(server, row):
    return server.get("/dataset/csv/table", skip=row, limit=1).json()["result"][0]["a"]


@pytest.mark.parametrize("part", ["artifact", "store/objects", "store", ""])
def test_permission_lost_while_a_table_is_read(server, part):
    content = table(300_000)
    server.upload("table", content, types="infer")
    server.finished("table")
    place = object_of(server, "table") if part == "artifact" else server.data / part
    with server.http.stream("GET", f"{PREFIX}/dataset/csv/table", headers={"Accept": "text/csv"}) as answer:
        pieces = answer.iter_bytes()
        text = next(pieces)
        with closed(place):
            text += b"".join(pieces)  # open it is, and stays
            page = server.get("/dataset/csv/table", skip=150_000)
            assert page.status_code == 500 and "Permission denied" in page.json()["detail"], page.text
            made = server.post("/transform/projection", {"inputDatasetName": "table", "outputDatasetName": "less", "names": ["a"]})
            assert made.status_code == 201
            failed = server.ended("less")
            assert failed["status"] == "failed" and "Permission denied" in failed["exception"], failed
    assert text.count(b"\n") == 300_001
    assert first_cell(server, 150_001) == 150_000
    again(server)
    assert staging(server) == []
    assert first_cell(server, 150_001) == 150_000
    server.delete("/transform/projection/less")
    server.made("/transform/projection", {"inputDatasetName": "table", "outputDatasetName": "less", "names": ["a"]})


# The next start says what is closed, and loses nothing of it.
@pytest.mark.parametrize("part", ["store/objects", "store/staging", "store"])
def test_a_start_without_permission_is_refused(server, part):
    server.upload("table", table(20_000))
    server.finished("table")
    assert server.stop() == 0
    with closed(server.data / part), pytest.raises(RuntimeError, match="Permission denied"):
        server.start()
    server.start()
    assert first_cell(server, 1) == "0"


def test_a_start_with_a_closed_artifact(server):
    server.upload("table", table(20_000))
    server.finished("table")
    with closed(object_of(server, "table")):
        again(server)
        page = server.get("/dataset/csv/table", skip=1)
        assert page.status_code == 500 and "Permission denied" in page.json()["detail"], page.text
    assert first_cell(server, 1) == "0"


def test_an_ingest_goes_on_after_a_kill_without_permission(server):
    content = table(200_000)
    halting = Halting(content)
    with FileServer(halting) as files:
        assert server.post("/dataset/csv", {"datasetName": "table", "datasetURI": files.url + "/x.csv"}).status_code == 201
        assert halting.half_sent.wait(60)
        with closed(server.data / "store"):
            server.kill()
        halting.go_on.set()
        server.start()
        server.finished("table")
    assert staging(server) == []
    assert first_cell(server, 200_000) == "199999"
