import pathlib
import tempfile
import time

import calls
from support import Gate, Server

WAITING = 10_000
RUNS = 3  # the running step fails when it was lost more often


def all_taken_up(server):
    """Whether the server is ready and knows of each step that it waits."""
    assert server.http.get("/ready").status_code == 200
    return server.step(f"waiting{WAITING - 1}")["waitsFor"] == ["gate"]


def restarted(server):
    """Milliseconds from exec until everything is taken up, after a kill."""
    server.kill()
    start = time.perf_counter()
    server.start()
    while not all_taken_up(server):
        pass
    return (time.perf_counter() - start) * 1000


def run():
    """10,000 steps that wait for one that runs: kill -9, then exec until all are taken up and /ready says so"""
    with tempfile.TemporaryDirectory() as name, Server(pathlib.Path(name) / "data") as server:
        gate = Gate(pathlib.Path(name))
        server.function("gate", gate.code + "response = 1")
        body = {"function": "response = None", "functionParameters": {"before": "$gate"}}
        start = time.perf_counter()
        calls.post_at_once(server, [calls.request(server, "POST", "/function/python", {"name": f"waiting{i}", **body}) for i in range(WAITING)])
        rate = WAITING / (time.perf_counter() - start)
        taken = [restarted(server) for _ in range(RUNS)]
    return [("exec to all taken up", taken, "ms", "at most 1000"), ("steps accepted per second", [rate], "", "")]
