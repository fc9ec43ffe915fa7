"""The wire between server and PostgreSQL is cut without a word: the server says so, loses nothing that it acknowledged, and goes on by itself."""

import threading

import pytest

import postgres as databases
import wire as wires
from support import PREFIX, Server


@pytest.fixture
def wire():
    with wires.laid() as laid:
        yield laid


@pytest.fixture
def postgres(wire):
    with databases.running(host=wire.there, before=wire.before) as server:
        yield server


def test_silent_cut(wire, postgres, tmp_path):
    postgres.sql("CREATE DATABASE catalog")
    with Server(tmp_path / "data", "--catalog", postgres.url("catalog")) as server:
        server.function("before", "response = 1")
        server.finished("before")
        answers = []

        def post():
            answers.append(server.post("/function/python", {"name": "during", "function": "response = 2"}))

        posting = threading.Thread(target=post)
        wire.cut()
        posting.start()
        answer = server.http.get(f"{PREFIX}/step/before", timeout=120)
        assert answer.status_code == 503 and answer.headers["Retry-After"], answer.text
        assert server.http.get("/health").status_code == 200
        wire.mend()
        posting.join(120)
        assert not posting.is_alive()
        assert answers[0].status_code in (201, 503), answers[0].text
        acknowledged = ["before"] + (["during"] if answers[0].status_code == 201 else [])
        server.function("after", "response = 3")
        for name in [*acknowledged, "after"]:
            server.finished(name)
        numbers = [int(line) for line in postgres.sql("SELECT seq FROM event ORDER BY seq", "catalog").split()]
        assert numbers == list(range(1, len(numbers) + 1))
        server.kill()
        server.start()
        for name in [*acknowledged, "after"]:
            server.finished(name)
