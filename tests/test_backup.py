"""`orchestra backup` of servers that run, and what `orchestra restore` makes of it."""

import contextlib
import json
import re
import resource
import subprocess
import threading

import httpx
import pytest

from support import BINARY, PREFIX, Gate, Server
from test_recovery import parts_of, referenced_files, stored_files

BIG = "import numpy\nresponse = numpy.full(50_000, x)"  # two files, neither inline
ROWS = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(20_000))


def command(name, folder, data, **more):
    return subprocess.run([BINARY, name, folder, "--data", data], capture_output=True, text=True, timeout=300, check=False, **more)


def done(name, folder, data):
    """The line that it prints."""
    process = command(name, folder, data)
    assert process.returncode == 0, process.stderr
    return process.stdout


def refused(name, folder, data, **more):
    """What it says is wrong."""
    process = command(name, folder, data, **more)
    assert process.returncode == 1, process.stdout
    assert process.stdout == ""
    return process.stderr


def copied(line):
    return int(re.search(r"\((\d+) copied\)", line)[1])


@contextlib.contextmanager
def steps_come_and_go(url):
    """While it lasts, in threads: big results are made and deleted, small ones stay. Begins when the first have gone."""
    stop, begun = threading.Event(), threading.Barrier(3)
    problems = []

    def work(thread):
        with httpx.Client(base_url=url + PREFIX, timeout=60) as http:
            for number in range(1_000_000):
                name = f"passing_{thread}_{number}"
                body = {"name": name, "function": BIG, "functionParameters": {"x": 1000 * thread + number}}
                http.post("/function/python", json=body).raise_for_status()
                http.get(f"/observe/{name}", params={"wait": 20})
                answer = http.delete(f"/function/python/{name}")
                if answer.status_code not in (200, 409):
                    problems.append(answer.text)
                http.post("/function/python", json={**body, "name": f"staying_{thread}_{number}", "function": "response = x"}).raise_for_status()
                if number == 0:
                    begun.wait(60)
                if stop.is_set():
                    return

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    try:
        begun.wait(60)
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert problems == []


def test_what_was_finished_before_comes_back_and_what_was_not_runs_again(tmp_path):
    gate = Gate(tmp_path)
    with Server(tmp_path / "data") as server:
        server.upload("data", ROWS)
        server.function("big", BIG, functionParameters={"x": 7})
        server.function("small", "print('thinking')\nresponse = {'answer': 42}")
        for name in ("data", "big", "small"):
            server.finished(name)
        server.function("gated", gate.code + "response = x * 2", functionParameters={"x": 21})
        server.function("after", "response = x + 1", functionParameters={"x": "$gated"})
        server.log_until("gated", "at the gate")
        rows = server.rows("data", limit=1000, skip=500)
        steps = {name: server.step(name) for name in ("data", "big", "small")}
        with steps_come_and_go(server.url):
            for _ in range(3):
                done("backup", tmp_path / "backup", tmp_path / "data")
        server.post("/step/gated/cancel", {})
        server.ended("gated")
    done("restore", tmp_path / "backup", tmp_path / "restored")
    with Server(tmp_path / "restored") as server:
        assert server.rows("data", limit=1000, skip=500) == rows
        assert {name: server.step(name) for name in steps} == steps
        assert server.get("/step/small/log").text == "thinking\n"
        assert server.value("[len(x), int(x.sum()), y]", x="$big", y="$small") == [50_000, 350_000, {"answer": 42}]
        server.log_until("gated", "at the gate")
        gate.open()
        server.finished("gated")
        assert server.value("x", x="$after") == 43
        names = [step["name"] for step in server.get("/step", limit=1000).json()["result"]]
        assert any(name.startswith("staying") for name in names)
        for name in names:
            server.finished(name)
        server.stop()
        assert stored_files(server) == referenced_files(server)


def test_a_stopped_server_and_one_that_was_killed(tmp_path):
    with Server(tmp_path / "data") as server:
        server.function("big", BIG, functionParameters={"x": 1})
        server.finished("big")
        server.kill()
        done("backup", tmp_path / "killed", tmp_path / "data")
        server.start()
    done("backup", tmp_path / "stopped", tmp_path / "data")
    for folder in ("killed", "stopped"):
        done("restore", tmp_path / folder, tmp_path / f"from_{folder}")
        with Server(tmp_path / f"from_{folder}") as server:
            assert server.value("int(x.sum())", x="$big") == 50_000


def test_a_later_one_copies_only_what_is_new(tmp_path):
    with Server(tmp_path / "data") as server:
        for x in (1, 2, 3):
            server.function(f"big{x}", BIG, functionParameters={"x": x})
            server.finished(f"big{x}")
        first = copied(done("backup", tmp_path / "backup", tmp_path / "data"))
        assert first == len(stored_files(server)) > 3
        assert copied(done("backup", tmp_path / "backup", tmp_path / "data")) == 0
        server.delete("/function/python/big1")
        server.function("big4", BIG, functionParameters={"x": 4})
        server.finished("big4")
        line = done("backup", tmp_path / "backup", tmp_path / "data")
        assert 1 <= copied(line) < first
        assert {path.name for path in (tmp_path / "backup/store/objects").glob("*/*")} == referenced_files(server)
        assert len(list((tmp_path / "backup").glob("catalog-*"))) == 1
    assert "3 steps" in line
    assert "3 steps" in done("restore", tmp_path / "backup", tmp_path / "restored")


@pytest.fixture(scope="module")
def backup(tmp_path_factory):
    """A server's folder, its backup, and the digests of what one of its two steps keeps; to be left as it is."""
    folder = tmp_path_factory.mktemp("backup")
    with Server(folder / "data") as server:
        for name, x in (("sound", 1), ("unlucky", 2)):
            server.function(name, BIG, functionParameters={"x": x})
            server.finished(name)
        digests = {part["name"]: part["digest"] for part in parts_of(server, "unlucky")}
    done("backup", folder / "backup", folder / "data")
    return folder, digests


@pytest.fixture
def copy(backup, tmp_path):
    """A copy of that backup, and the path of an object of the step "unlucky" in it."""
    folder, digests = backup
    subprocess.run(["cp", "-a", folder / "backup", tmp_path / "backup"], check=True)
    digest = digests["buffers.bin"]
    return tmp_path / "backup", tmp_path / "backup" / "store/objects" / digest[:2] / digest


def flip_a_byte(path):
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_flipped_byte_is_found_and_the_step_named(copy, tmp_path):
    folder, file = copy
    flip_a_byte(file)
    message = refused("restore", folder, tmp_path / "restored")
    assert '"unlucky"' in message
    assert "sound" not in message
    assert not (tmp_path / "restored").exists()


def test_a_flipped_byte_in_the_catalog_is_found(copy, tmp_path):
    folder, _ = copy
    flip_a_byte(next(folder.glob("catalog-*.sqlite")))
    assert "catalog" in refused("restore", folder, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_an_incomplete_or_newer_backup_is_refused(copy, tmp_path):
    folder, _ = copy
    record = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").unlink()
    assert "no whole backup" in refused("restore", folder, tmp_path / "restored")
    (folder / "backup.json").write_text(json.dumps({**record, "schema": record["schema"] + 1}))
    assert "newer program" in refused("restore", folder, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_a_folder_in_use_or_with_something_in_it_is_refused(copy, tmp_path):
    folder, _ = copy
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored/precious").write_text("precious")
    assert "not empty" in refused("restore", folder, tmp_path / "restored")
    assert [path.name for path in (tmp_path / "restored").iterdir()] == ["precious"]
    with Server(tmp_path / "data") as server:
        assert server.url in refused("restore", folder, tmp_path / "data")
        server.finished(server.function("here", "response = 1").headers["location"].rpartition("/")[2])
    assert "something else" in refused("backup", tmp_path / "restored", tmp_path / "data")


def test_a_disk_that_takes_no_more_leaves_the_older_backup_whole(tmp_path):
    limit = 4 << 20

    def takes_no_more():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with Server(tmp_path / "data") as server:
        server.function("small", "response = 1")
        server.finished("small")
        done("backup", tmp_path / "backup", tmp_path / "data")
        server.function("large", f"response = b'x' * {2 * limit}")
        server.finished("large")
        # Python ignores SIGXFSZ and so does the child: a file that grows too large is an error of write().
        message = refused("backup", tmp_path / "backup", tmp_path / "data", preexec_fn=takes_no_more, restore_signals=False)
        assert "cannot write" in message
        assert "1 step," in done("restore", tmp_path / "backup", tmp_path / "restored")
        assert "2 steps," in done("backup", tmp_path / "backup", tmp_path / "data")
