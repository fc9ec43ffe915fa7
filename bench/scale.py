import pathlib
import statistics
import tempfile
import time

import crowd
from memory import proportional_set_size
from support import Server

FEW, MANY = 1_000, 100_000  # steps; a page is as long with few as with many
PAGE = 20
RUNS = 100
WARM = 10
STARTS = 5


def listing(server, path="/step", **query):
    answer = server.get(path, limit=PAGE, **query)
    assert answer.status_code == 200 and answer.json()["result"], answer.text


def submit(server, name):
    answer = server.function(name, "response = None")
    assert answer.status_code == 201, answer.text


CALLS = {
    "list, first page": lambda server, steps, run: listing(server),
    "list, a page in the middle": lambda server, steps, run: listing(server, skip=steps // 2),
    "list by type": lambda server, steps, run: listing(server, type="transform/projection"),
    "list by type, a page in the middle": lambda server, steps, run: listing(server, type="function/python", skip=steps // 4),
    "list by status": lambda server, steps, run: listing(server, status="finished"),
    "list by label that many have": lambda server, steps, run: listing(server, label="team=blue"),
    "list by label that two have": lambda server, steps, run: listing(server, label="group=crowd_0000123_label"),
    "list of one service": lambda server, steps, run: listing(server, "/function/python"),
    "list of what was typed in place": lambda server, steps, run: server.get("/transform/dataType").raise_for_status(),
    "one step": lambda server, steps, run: server.step("crowd_0000200_second"),
    "submit": lambda server, steps, run: submit(server, f"mine{run}"),
}


def milliseconds(call, *arguments):
    start = time.perf_counter()
    call(*arguments)
    return (time.perf_counter() - start) * 1000


def compare(servers, name, call):
    """Rows of one kind of call, made in turn of both servers, so that both see the same machine."""
    taken = {steps: [] for steps in servers}
    for run in range(WARM + RUNS):
        for steps, server in servers.items():
            took = milliseconds(call, server, steps, run)
            if run >= WARM:
                taken[steps].append(took)
            if name == "submit":
                server.finished(f"mine{run}")
    few, many = taken[FEW], taken[MANY]
    ratio = statistics.median(many) / statistics.median(few)
    return [(f"{name}, {FEW:,} steps", few, "ms", ""), (f"{name}, {MANY:,} steps", many, "ms", ""),
            (f"{name}: ratio of medians", [ratio], "", "at most 1.2")]


def start_to_ready(data):
    start = time.perf_counter()
    with Server(data) as server:
        assert server.http.get("/ready").status_code == 200
        return (time.perf_counter() - start) * 1000


def run():
    """a catalog with 100,000 finished steps beside one with 1,000: listing, one step, submitting; exec to /ready; memory"""
    with tempfile.TemporaryDirectory() as folder:
        data = {steps: pathlib.Path(folder) / str(steps) / "data" for steps in (FEW, MANY)}
        for steps, path in data.items():
            path.parent.mkdir()
            crowd.make(path, steps)
        rows = []
        starts = {steps: [start_to_ready(path) for _ in range(STARTS)] for steps, path in data.items()}
        with Server(data[FEW]) as few, Server(data[MANY]) as many:
            idle = {steps: proportional_set_size(server.process.pid) for steps, server in ((FEW, few), (MANY, many))}
            for name, call in CALLS.items():
                rows += compare({FEW: few, MANY: many}, name, call)
    for steps in (FEW, MANY):
        rows.append((f"exec to /ready, {steps:,} steps", starts[steps], "ms", "at most 500" if steps == MANY else ""))
        rows.append((f"server idle, {steps:,} steps", [idle[steps]], "MB", ""))
    return rows
