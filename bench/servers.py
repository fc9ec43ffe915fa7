"""Several servers with one catalog: what more of them can answer."""

import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import tempfile
import time

import calls
import postgres
from group import leads, member, serving
from support import eventually

SHARE = 0.3  # of a core
SERVERS = 3
READS = 9  # for each post
ROUNDS = 5
SECONDS = 6
CONNECTIONS = 8  # of each server
AT_ONCE = 10  # requests under way on one connection
GROUPS = pathlib.Path("/sys/fs/cgroup/cpu")
PERIOD = 20_000  # microseconds


class Held:
    """A process with what it starts, held to SHARE of a core by a group of the kernel's."""

    def __init__(self, pid):
        self.place = GROUPS / f"orchestra-bench-{pid}"
        self.place.mkdir()
        (self.place / "cpu.cfs_period_us").write_text(str(PERIOD))
        (self.place / "cpu.cfs_quota_us").write_text(str(int(PERIOD * SHARE)))
        for task in os.listdir(f"/proc/{pid}/task"):
            (self.place / "tasks").write_text(task)

    def let_go(self):
        for pid in (self.place / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (GROUPS / "cgroup.procs").write_text(pid)
        with contextlib.suppress(OSError):
            self.place.rmdir()


def requests_for(server, numbers):
    """AT_ONCE of them; the steps that they post never run."""
    reads = itertools.cycle(("/step/value", "/dataset/csv/table?limit=20", "/step/value", "/function/python?limit=10", "/dataset/csv/table?limit=20&skip=500"))
    requests = []
    for i in range(AT_ONCE):
        if i % (READS + 1) == READS:
            body = {"name": f"posted_{next(numbers)}", "function": "response = 1", "schedule": {"at": "2100-01-01T00:00:00Z"}}
            requests.append(calls.request(server, "POST", "/function/python", body))
        else:
            requests.append(calls.request(server, "GET", next(reads)))
    return b"".join(requests)


def drive(server, numbers, until):
    """Answers on one connection until then."""
    answered = 0
    with contextlib.closing(calls.connect(server)) as connection:
        while time.monotonic() < until:
            connection.sendall(requests_for(server, numbers))
            answers, good = calls.Counter(b"HTTP/1.1 "), calls.Counter(b"HTTP/1.1 20")
            while answers.count < AT_ONCE:
                piece = connection.recv(1 << 16)
                answers.add(piece)
                good.add(piece)
                if not piece or good.count < answers.count:
                    raise RuntimeError(f"a call was refused: {piece[-1000:].decode(errors='replace')}")
            answered += answers.count
    return answered


def rate(servers, numbers):
    """Answers a second."""
    until = time.monotonic() + SECONDS
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS * len(servers)) as threads:
        begun = [threads.submit(drive, server, numbers, until) for server in servers for _ in range(CONNECTIONS)]
        return sum(each.result() for each in begun) / SECONDS


def fill(server):
    server.upload("table", b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(1000)))
    server.finished("table")
    server.function("value", "response = 1")
    server.finished("value")


def run():
    """calls of three servers with one catalog in a PostgreSQL against one, each held to 0.3 of a core: nine reads (a step, rows of a table, a list) to one post"""
    if not (GROUPS / "cpu.cfs_quota_us").parent.is_dir() or os.geteuid() != 0:
        return [("servers", [], "", "needs root and the cpu groups of the kernel (v1)")]
    with contextlib.ExitStack() as stack:
        place = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(postgres.running())
        servers = [stack.enter_context(member(place, database.url("postgres"), f"server-{i}", check=False)) for i in range(SERVERS)]
        serving(servers)
        servers.sort(key=leads, reverse=True)
        fill(servers[0])
        for server in servers:
            eventually(lambda server=server: server.get("/step/value").status_code == 200)
            held = Held(server.process.pid)
            stack.callback(held.let_go)
        numbers = itertools.count()
        one, three = [], []
        for _ in range(ROUNDS):
            one.append(rate(servers[:1], numbers))
            three.append(rate(servers, numbers))
    return [("one server, calls/s", one, "/s", ""),
            (f"{SERVERS} servers, calls/s", three, "/s", ""),
            ("ratio", [many / few for many, few in zip(three, one)], "", "at least 2.4")]
