"""The primary PostgreSQL is lost under load and its standby takes over: nothing acknowledged is lost or done twice, and no server is started anew
(skipped where there is no PostgreSQL to start)."""

import threading

import pytest

import postgres as databases
from support import PREFIX, Server

DOUBLE = "response = x * 2"
STEPS, KILL_AT = 60, 20


@pytest.fixture
def pair():
    with databases.running_pair() as (primary, standby):
        yield primary, standby


def url_of(pair, database):
    hosts = ",".join(f"127.0.0.1:{each.port}" for each in pair)
    return f"postgresql://ada:{databases.QUOTED}@{hosts}/{database}?target_session_attrs=read-write"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_standby_takes_over_under_load(pair, tmp_path, moment):
    """Promoted at once, or when the server has told somebody that its database is gone."""
    primary, standby = pair
    primary.sql("CREATE DATABASE catalog")
    with Server(tmp_path / "data", "--catalog", url_of(pair, "catalog")) as server:
        server.function("warm", "response = 1")
        server.finished("warm")
        acknowledged, refused = [], []
        at_the_middle = threading.Event()

        def post_all():
            for i in range(STEPS):
                answer = server.post("/function/python", {"name": f"load_{i}", "function": DOUBLE, "functionParameters": {"x": i}})
                (acknowledged if answer.status_code == 201 else refused).append(f"load_{i}")
                if i == KILL_AT:
                    at_the_middle.set()

        posting = threading.Thread(target=post_all)
        posting.start()
        assert at_the_middle.wait(60)
        primary.kill()
        if moment == "after":
            answer = server.http.get(f"{PREFIX}/step/warm")
            assert answer.status_code == 503 and answer.headers["Retry-After"], answer.text
        standby.promote()
        posting.join(120)
        assert not posting.is_alive()
        assert refused == []  # the commits waited
        for i, name in enumerate(acknowledged):
            server.finished(name)
            assert server.get(f"/step/{name}/artifact", format="json").json() == i * 2
        numbers = [int(line) for line in standby.sql("SELECT seq FROM event ORDER BY seq", "catalog").split()]
        assert numbers == list(range(1, len(numbers) + 1))
        for kind in ("accepted", "finished"):
            assert standby.sql(f"SELECT count(*) FROM event WHERE type = '{kind}' AND name LIKE 'load_%'", "catalog") == str(STEPS)
        server.kill()
        server.start()
        assert server.finished(f"load_{STEPS - 1}")

