"""`orchestra doctor` on folders and databases that are well, and on some that are not."""

import os
import subprocess

import pytest

import postgres as databases
from support import BINARY, HOME, Server


def doctor(*options, status=0):
    """Its findings: of each part its level, what it says and what is to be done, in order."""
    ended = subprocess.run([BINARY, "doctor", *options], env=dict(os.environ, ORCHESTRA_HOME=str(HOME)), capture_output=True, text=True, timeout=60)
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert databases.PASSWORD not in ended.stdout and databases.QUOTED not in ended.stdout
    findings = []
    for line in ended.stdout.splitlines():
        if line.lstrip().startswith("-> "):
            findings[-1][3] = line.strip()[3:]
        else:
            level, part, says = line[:8].strip(), line[9:21].strip(), line[22:]
            findings.append([level, part, says, ""])
    return findings


def of(findings, part):
    (found,) = (each for each in findings if each[1] == part)
    return found


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "data") as started:
        started.function("one", "response = 1")
        started.finished("one")
        yield started


def test_all_is_well(server, tmp_path):
    findings = doctor("--data", server.data)
    assert [each[1] for each in findings] == ["data folder", "server", "catalog", "store"]
    assert {each[0] for each in findings} <= {"ok", "warning"}  # the disk of this machine may be nearly full
    assert str(server.process.pid) in of(findings, "server")[2] and server.url in of(findings, "server")[2]
    assert "SQLite, schema" in of(findings, "catalog")[2]
    server.stop()
    assert "none has this data folder" in of(doctor("--data", server.data), "server")[2]
    server.start()


def test_a_damaged_catalog(server):
    server.stop()
    file = server.data / "catalog.sqlite"
    content = bytearray(file.read_bytes())
    content[4096 * 3:4096 * 8] = os.urandom(4096 * 5)
    file.write_bytes(content)
    level, _, says, todo = of(doctor("--data", server.data, status=1), "catalog")
    assert level == "broken" and "restore a backup" in todo, says
    file.write_text("no database")
    assert of(doctor("--data", server.data, status=1), "catalog")[0] == "broken"
    server.check = False


def test_folders_that_are_not_there(server, tmp_path):
    assert doctor("--data", tmp_path / "none", status=1) == [["broken", "data folder", f"there is no {tmp_path / 'none'}", "name the server's with --data"]]
    (tmp_path / "new").mkdir()
    assert "there is none yet" in of(doctor("--data", tmp_path / "new"), "catalog")[2]
    level, _, says, todo = of(doctor("--data", server.data, "--store", tmp_path / "mount", status=1), "store")
    assert (level, todo) == ("broken", "see that it is mounted") and str(tmp_path / "mount") in says


@pytest.fixture(scope="module")
def pair():
    with databases.running_pair() as (primary, standby):
        primary.sql("CREATE DATABASE catalog")
        yield primary, standby


def test_a_postgresql_and_its_standby(pair, tmp_path):
    primary, standby = pair
    url = primary.url("catalog")
    (tmp_path / "new").mkdir()
    assert "no catalog in it yet" in of(doctor("--data", tmp_path / "new", "--catalog", url), "catalog")[2]
    with Server(tmp_path / "data", "--catalog", url) as server:
        server.function("one", "response = 1")
        server.finished("one")
        findings = doctor("--data", server.data, "--catalog", url)
        assert "held by a server, schema 2" in of(findings, "catalog")[2]
        level, _, says, _ = of(findings, "standby")
        assert level == "ok" and "streaming, commits wait for it" in says and "kB behind" in says
        assert of(findings, "clocks")[0] == "ok"
    assert "held by nobody" in of(doctor("--data", tmp_path / "data", "--catalog", url), "catalog")[2]
    assert "name it with --catalog" in of(doctor("--data", tmp_path / "data", status=1), "catalog")[3]
    read_only = of(doctor("--data", tmp_path / "data", "--catalog", standby.url("catalog"), status=1), "catalog")
    assert read_only[0] == "broken" and "target_session_attrs=read-write" in read_only[3]
    assert "takes no writes" in read_only[3]
    standby.stop()
    missing = of(doctor("--data", tmp_path / "data", "--catalog", url, status=1), "standby")
    assert missing[0] == "broken" and "none is connected" in missing[2] and "synchronous_standby_names" in missing[3]
    primary.stop()
    gone = of(doctor("--data", tmp_path / "data", "--catalog", url, status=1), "catalog")
    assert gone[0] == "broken" and "can be reached" in gone[3]
