"""Several servers with one catalog and one store: any of them answers, one leads, and when that one dies another does (skipped where there is no
PostgreSQL to start)."""

import contextlib
import itertools
import signal
import subprocess
import threading

import pytest

from group import leads, member, ready, serving
from support import BINARY, PREFIX, Server, eventually, events

DOUBLE = "response = x * 2"


@pytest.fixture
def url(postgres, database):
    return postgres.url(database)


@pytest.fixture
def trio(url, tmp_path):
    """Three of them; the first leads."""
    with member(tmp_path, url, "a", check=False) as a:
        eventually(lambda: leads(a))
        with member(tmp_path, url, "b", check=False) as b, member(tmp_path, url, "c", check=False) as c:
            serving([a, b, c])
            yield a, b, c


def test_any_server_answers(trio):
    a, b, c = trio
    assert [ready(server)["role"] for server in trio] == ["leader", "follower", "follower"]
    assert ready(b)["leader"] == a.url
    told = subprocess.run([BINARY, "doctor", "--data", b.data, *b.options[:4]], capture_output=True, text=True, timeout=60)
    assert f"led by the server at {a.url}" in told.stdout
    for i, server in enumerate(trio):
        answer = server.function(f"from_{i}", DOUBLE, functionParameters={"x": i})
        assert answer.status_code == 201, answer.text
    for i, server in itertools.product(range(3), trio):
        server.finished(f"from_{i}")
        assert server.get(f"/step/from_{i}/artifact", format="json").json() == i * 2
    assert c.post("/function/python", {"name": "from_0", "function": "response = 1"}).status_code == 409
    assert c.get("/step/nobody").status_code == 404
    wrong = [server.post("/function/python", {"name": "wrong"}) for server in (a, b)]
    assert wrong[0].status_code == wrong[1].status_code == 406 and wrong[0].json() == wrong[1].json()
    assert b.get("/step/from_1").json() == a.get("/step/from_1").json()
    assert b.http.get("/openapi.json").json() == a.http.get("/openapi.json").json()


def test_files_go_through(trio):
    """Bodies that stream, answers longer than a piece, and of unknown length; one connection for many requests."""
    _, b, _ = trio
    table = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(300_000))
    assert b.upload("table", table).status_code == 201
    b.finished("table")
    assert b.rows("table", skip=299_999, limit=3)[0]["b"] == str(299_999**2)
    whole = b.http.get(f"{PREFIX}/dataset/csv/table", headers={"Accept": "text/csv"})
    assert whole.status_code == 200 and whole.content.count(b"\n") == 300_001
    assert whole.content == trio[0].http.get(f"{PREFIX}/dataset/csv/table", headers={"Accept": "text/csv"}).content
    b.function("talk", "for i in range(5): print('line', i, flush=True)\nresponse = None")
    b.log_until("talk", "line 4")
    assert b.http.head(f"{PREFIX}/step/talk").status_code == 200


def test_events_reach_every_server(trio):
    a, b, _ = trio
    with b.http.stream("GET", f"{PREFIX}/observe/stream", timeout=60) as stream:
        coming = events(stream)
        assert next(coming)[1] == "hello"
        a.function("told", "response = 1")
        seen = [next(coming)]
        while seen[-1][1] != "finished":
            seen.append(next(coming))
    ids = [int(event[0]) for event in seen]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_leader_that_dies_under_load_is_replaced(trio, postgres, database):
    """Nothing acknowledged is lost or done twice, no event is missed by who listens to another server, and the dead one comes back as one that follows."""
    a, b, c = trio
    a.function("waits", "import time\ntime.sleep(600)")
    a.running("waits")
    acknowledged = []
    at_the_middle = threading.Event()
    heard = []

    def listen():
        with c.http.stream("GET", f"{PREFIX}/observe/stream", timeout=120) as stream:
            for event in events(stream):
                heard.append(event)
                if event[2].get("name") == "last" and event[1] == "finished":
                    return

    def post_all():
        for i in range(60):
            answer = (b, c)[i % 2].post("/function/python", {"name": f"load_{i}", "function": DOUBLE, "functionParameters": {"x": i}}, **{"Idempotency-Key": f'"load-{i}"'})
            assert answer.status_code == 201, answer.text
            acknowledged.append(f"load_{i}")
            if i == 20:
                at_the_middle.set()

    listening, posting = threading.Thread(target=listen), threading.Thread(target=post_all)
    listening.start()
    eventually(lambda: bool(heard))
    posting.start()
    assert at_the_middle.wait(60)
    a.kill()
    posting.join(120)
    assert not posting.is_alive() and len(acknowledged) == 60
    eventually(lambda: leads(b) or leads(c))
    for i in range(60):
        b.finished(f"load_{i}")
        assert c.get(f"/step/load_{i}/artifact", format="json").json() == i * 2
    assert b.running("waits")["attempts"] == 2
    assert b.post("/step/waits/cancel", {}).status_code == 200
    for kind in ("accepted", "finished"):
        assert postgres.sql(f"SELECT count(*) FROM event WHERE type = '{kind}' AND name LIKE 'load_%'", database) == "60"
    a.start()
    eventually(lambda: ready(a).get("role") == "follower")
    a.function("last", "response = 1")
    listening.join(60)
    assert not listening.is_alive()
    ids = [int(event[0]) for event in heard if event[1] != "hello"]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.fixture
def stopped():
    """What goes on at the end of the test in any case."""
    with contextlib.ExitStack() as stack:
        yield stack


def test_leader_that_was_overtaken_follows(trio, postgres, database, stopped):
    """It was stopped, or cut off, for long enough, and knows nothing of it."""
    a, b, c = trio
    a.process.send_signal(signal.SIGSTOP)
    stopped.callback(a.process.send_signal, signal.SIGCONT)
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 1280262977 AND database = "
                 "(SELECT oid FROM pg_database WHERE datname = current_database())", database)
    eventually(lambda: (leads(b) or leads(c)) and all(ready(server).get("leader") != a.url for server in (b, c)))
    b.function("since", "response = 1")
    b.finished("since")
    a.process.send_signal(signal.SIGCONT)
    eventually(lambda: a.log().count("serving http") == 2 and ready(a).get("role") == "follower")  # it has begun anew
    assert a.get("/step/since").json()["result"]["status"] == "finished"
    assert a.function("more", "response = 2").status_code == 201
    c.finished("more")


def test_what_is_wrong_is_refused_at_the_start(url, tmp_path):
    def refusal(*options):
        with pytest.raises(RuntimeError) as refused:
            Server(tmp_path / "data", *options)
        return str(refused.value)

    assert "name it by --catalog" in refusal("--advertise", "http://10.1.0.7:8000")
    assert "by --store" in refusal("--advertise", "http://10.1.0.7:8000", "--catalog", url)
    assert "begins with https where" in refusal("--advertise", "https://10.1.0.7:8000", "--catalog", url)
    assert "no address of a server" in refusal("--advertise", "10.1.0.7:8000")
    with member(tmp_path, url, "first") as first:
        address = first.url
        assert f"another server of this catalog is at {address} (--advertise)" in refusal("--catalog", url, "--store", str(tmp_path / "mount"), "--advertise", address)
