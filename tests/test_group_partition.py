"""The server that leads is cut off without a word, from its database and from the others: another one leads, the first commits nothing more, and follows
when the wire is mended (in network namespaces; skipped where there are none, or no PostgreSQL)."""

import subprocess

import pytest

import postgres as databases
import wire as wires
from group import leads, member, ready, serving
from support import BINARY, eventually


@pytest.fixture
def wire():
    with wires.laid() as laid:
        yield laid


@pytest.fixture
def postgres(wire):
    with databases.running(host=wire.here) as server:
        yield server


def test_leader_that_is_cut_off_leads_no_more(wire, postgres, tmp_path):
    postgres.sql("CREATE DATABASE catalog")
    url = postgres.url("catalog")
    token = subprocess.run([BINARY, "token", "ada", "--file", tmp_path / "tokens"], capture_output=True, text=True, check=True).stdout.strip()
    options = ("--token-file", str(tmp_path / "tokens"), "--behind-proxy")
    with member(tmp_path, url, "there", *options, host=wire.there, through=tuple(wire.before), token=token, check=False) as there:
        eventually(lambda: leads(there))
        with member(tmp_path, url, "here", *options, host=wire.here, token=token, check=False) as here:
            serving([there, here])
            here.function("before", "response = 1")
            here.finished("before")
            here.function("cut_off", "import time\ntime.sleep(600)")
            here.running("cut_off")
            wire.cut()
            eventually(lambda: leads(here))
            assert here.function("meanwhile", "response = 2").status_code == 201
            here.finished("meanwhile")
            assert here.running("cut_off")["attempts"] == 2  # the first one's cannot come to anything
            wire.mend()
            eventually(lambda: there.log().count("serving http") == 2 and ready(there).get("role") == "follower")  # it has begun anew
            assert there.finished("meanwhile")["status"] == "finished"
            assert there.function("after", "response = 3").status_code == 201
            here.finished("after")
            assert here.post("/step/cut_off/cancel", {}).status_code == 200
        numbers = [int(line) for line in postgres.sql("SELECT seq FROM event ORDER BY seq", "catalog").split()]
        assert numbers == list(range(1, len(numbers) + 1))
        for name in ("before", "meanwhile", "after"):
            assert postgres.sql(f"SELECT count(*) FROM event WHERE type = 'finished' AND name = '{name}'", "catalog") == "1"
