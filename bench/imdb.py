import concurrent.futures
import pathlib
import tempfile
import time

import plain
from processes import Peak
from support import HOME, Server
from workflow import Workflow

RUNS = 5
AT_ONCE = 5
ROUNDS = 3


def in_turn(server, workflow, name):
    """Seconds of five workflows, each begun when the one before has ended."""
    return sum(workflow.run(server, f"{name}_{i}_") for i in range(AT_ONCE))


def at_once(server, workflow, name):
    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda i: workflow.run(server, f"{name}_{i}_"), range(AT_ONCE)))
    return time.perf_counter() - start


def run():
    """the text workflow through the API against one plain script, and five of them at once against five in turn"""
    workflow = Workflow(HOME / "examples" / "imdb" / "workflow.yaml", "imdb_")
    scripts, warms, turns, sides = [], [], [], []
    with tempfile.TemporaryDirectory() as folder, Server(pathlib.Path(folder) / "data") as server:
        first = workflow.run(server, "first_")
        for i in range(RUNS):
            scripts.append(plain.run("ORCHESTRA_PYTHON", "imdb"))
            warms.append(workflow.run(server, f"warm{i}_"))
        for i in range(ROUNDS):
            turns.append(in_turn(server, workflow, f"turn{i}"))
            sides.append(at_once(server, workflow, f"side{i}"))
        with Peak(server) as peak:  # apart from the times: looking takes time, too
            at_once(server, workflow, "peak")
    return plain.compared(scripts, first, warms) + [
        ("five in turn", turns, "s", ""),
        ("five at once", sides, "s", ""),
        ("ratio: at once to in turn", [side / turn for side, turn in zip(sides, turns)], "", "at most 1"),
        ("peak memory of all processes, five at once", [peak.megabytes], "MB", ""),
    ]
