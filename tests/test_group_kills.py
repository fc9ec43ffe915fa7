"""Any single process of a group of servers, of what they started and of their database is killed with -9 at random moments under a mixed load:
nothing acknowledged is lost or done twice, and all of it ends (skipped where there is no PostgreSQL to start). 20 times; 200 times in the long run."""

import contextlib
import os
import random
import statistics
import threading
import time

import httpx
import psutil
import pytest

from group import leader_of, member, serving
from support import PREFIX, TERMINAL, eventually, unique

RETRY = {"maxAttempts": 5, "delay": 0.05}  # a step whose own process is killed has failed: whoever wants it tried again says so
TABLE = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(2000))


class Load:
    """Clients that post steps to whichever server answers, and repeat what was not answered under the same key, as clients do."""

    def __init__(self, servers, threads=3):
        self.servers = servers
        self.stopping = threading.Event()
        self.acknowledged: list[str] = []  # names, each with what its result must be
        self.results: dict[str, object] = {}
        self.refused: list[str] = []
        self.threads = [threading.Thread(target=self._post, args=(i,)) for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(120)
            assert not thread.is_alive()

    def _post(self, number):
        chooser = random.Random(number)
        previous = None
        for i in range(1_000_000):
            if self.stopping.is_set():
                return
            name, value = f"load_{number}_{i}", number * 100_000 + i
            kind = chooser.choice(("plain", "plain", "shared", "chain", "table"))
            if kind == "table":
                self._send(chooser, name, 2000, "/dataset/csv", params={"datasetName": name}, content=TABLE, headers={"Content-Type": "text/csv"})
                continue
            body = {"name": name, "function": "response = x + 1", "functionParameters": {"x": value}, "retry": RETRY}
            if kind == "chain" and previous:
                body["functionParameters"]["x"] = f"${previous}"
                value = self.results[previous]
            if kind == "shared":
                body["isolation"] = "shared"
            if self._send(chooser, name, value + 1, "/function/python", json=body):
                previous = name

    def _send(self, chooser, name, result, path, headers=None, **request):
        headers = {**(headers or {}), "Idempotency-Key": f'"{name}"'}
        self.results[name] = result
        while not self.stopping.is_set():
            with contextlib.suppress(httpx.TransportError):
                answer = httpx.post(chooser.choice(self.servers).url + PREFIX + path, headers=headers, timeout=60, **request)
                if answer.status_code == 201:
                    self.acknowledged.append(name)
                    return True
                if answer.status_code not in (409, 503):  # the same key is still under way; nobody leads now
                    self.refused.append(f"{name}: {answer.text}")
                    return False
            self.stopping.wait(0.05)
        return False


def victims(servers, postgres):
    """Kinds of processes, each with those that there are now."""
    leader = leader_of(servers)
    followers = [server.process.pid for server in servers if server is not leader and server.process.poll() is None]
    started = [child.pid for child in psutil.Process(leader.process.pid).children(recursive=True)] if leader else []
    main = psutil.Process(int((postgres.place / "data" / "postmaster.pid").read_text().split()[0]))
    kinds = {"leader": [leader.process.pid] if leader else [], "follower": followers, "step": started, "database": [child.pid for child in main.children()]}
    return {kind: pids for kind, pids in kinds.items() if pids}


def resume_time(servers, since):
    """Seconds until a step that is posted now has finished."""
    name = unique("probe")
    deadline = time.monotonic() + 60
    for server in _forever(servers):
        assert time.monotonic() < deadline, "nothing goes on"
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.post(f"{server.url}{PREFIX}/function/python", json={"name": name, "function": "response = 1"}, headers={"Idempotency-Key": f'"{name}"'}, timeout=60)
            if answer.status_code == 201:
                break
    eventually(lambda: any(status_of(server, name) == "finished" for server in servers))
    return time.monotonic() - since


def _forever(servers):
    while True:
        yield from servers


def status_of(server, name):
    with contextlib.suppress(httpx.TransportError):
        answer = httpx.get(f"{server.url}{PREFIX}/step/{name}", timeout=60)
        if answer.status_code == 200:
            return answer.json()["result"]["status"]
    return None


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.long)])
def test_any_process_may_be_killed(postgres, database, tmp_path, rounds, record_property):
    seed = int(os.environ.get("ORCHESTRA_SEED", random.randrange(10**6)))
    chooser = random.Random(seed)
    print("ORCHESTRA_SEED is", seed)
    url = postgres.url(database)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(member(tmp_path, url, name, check=False)) for name in "ab"]
        serving(servers)
        load = Load(servers)
        took: dict[str, list[float]] = {}
        try:
            for _ in range(rounds):
                kinds = victims(servers, postgres)
                kind = chooser.choice(sorted(kinds))
                time.sleep(chooser.random() / 4)  # the moment is to be random
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.Process(chooser.choice(kinds[kind])).kill()
                took.setdefault(kind, []).append(resume_time(servers, time.monotonic()))
                for server in servers:
                    if server.process.poll() is not None:
                        server.start()
                serving(servers)
        finally:
            load.end()
        assert load.refused == []
        check(servers[0], load, postgres, database)
    for kind, seconds in sorted(took.items()):
        record_property("report", f"{rounds} kills, {kind} ({len(seconds)}): goes on after {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s")


def check(server, load, postgres, database):
    eventually(lambda: postgres.sql("SELECT count(*) FROM revision WHERE state NOT IN ('finished', 'failed', 'cancelled')", database) == "0", timeout=120)
    for name in load.acknowledged:
        step = server.step(name)
        assert step["status"] in TERMINAL and step["status"] == "finished", (name, step["exception"])
        if step["type"] == "dataset/csv":
            assert step["rows"] == load.results[name]
        else:
            assert server.get(f"/step/{name}/artifact", format="json").json() == load.results[name]
    for kind in ("accepted", "finished"):
        twice = postgres.sql(f"SELECT name FROM event WHERE type = '{kind}' GROUP BY name HAVING count(*) > 1", database)
        assert twice == "", f"{kind} twice"
    numbers = [int(line) for line in postgres.sql("SELECT seq FROM event ORDER BY seq", database).split()]
    assert numbers == list(range(1, len(numbers) + 1))
