import json
import os
import pathlib
import subprocess
import tempfile
import time

import calls
from support import HOME, Server

ROUNDS = 3
RUNS = 3  # in each round
SINGLES, CHAIN, FAN = 100, 100, 1000
PLAIN, SHARED = {}, {"isolation": "shared"}
OURS = {"ours, a process each": PLAIN, "ours, shared": SHARED}  # what a step's body says
RIVALS = {"Ray": "ray", "Dask": "dask"}
SCRIPT = HOME / "bench" / "rivals_noop.py"


def step(server, name, isolation, **parameters):
    body = {"name": name, "function": "response = None", **isolation}
    if parameters:
        body["functionParameters"] = parameters
    return calls.request(server, "POST", "/function/python", body)


def timed(server, post, requests):
    """Seconds from the first request to the observed end of the last step."""
    with calls.Finishes(server) as finishes:
        start = time.perf_counter()
        post(server, requests)
        finishes.wait(len(requests))
        return time.perf_counter() - start


def chain(server, tag, isolation):
    first = step(server, f"{tag}_0", isolation)
    rest = [step(server, f"{tag}_{i}", isolation, before=f"${tag}_{i - 1}") for i in range(1, CHAIN)]
    return timed(server, calls.post_in_turn, [first, *rest])


def fan(server, tag, isolation):
    return timed(server, calls.post_at_once, [step(server, f"{tag}_{i}", isolation) for i in range(FAN)])


def single(server, name, isolation):
    return timed(server, calls.post_in_turn, [step(server, name, isolation)])


def measure_ours(server, isolation):
    fan(server, "warm", isolation)
    chain(server, "warmer", isolation)
    return {
        "single": [single(server, f"single{i}", isolation) for i in range(SINGLES)],
        "chain": [chain(server, f"chain{i}", isolation) for i in range(RUNS)],
        "fan": [fan(server, f"fan{i}", isolation) for i in range(RUNS)],
    }


def ours(isolation):
    """Seconds, by what was measured; nothing where the server knows no such isolation."""
    with tempfile.TemporaryDirectory() as folder, Server(pathlib.Path(folder) / "data") as server:
        answer = server.function("known", "response = None", **isolation)
        if answer.status_code == 406:
            return None
        server.finished("known")
        return measure_ours(server, isolation)


def rival(name):
    command = [os.environ["ORCHESTRA_RIVALS_PYTHON"], SCRIPT, name, str(SINGLES), str(CHAIN), str(FAN)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def merged(rounds):
    return {key: [value for each in rounds for value in each[key]] for key in rounds[0]}


def ratios(mine, theirs, key):
    """Round by round, by what a round took in all: between the rounds the machine may have changed."""
    return [sum(one[key]) / sum(other[key]) for one, other in zip(mine, theirs)]


def rows_of(who, rounds):
    if not rounds:
        return [(who, [], "", "not measured: the server knows no such isolation")]
    seconds = merged(rounds)
    fresh = who == "ours, a process each"
    return [
        (f"{who}: one step", [value * 1000 for value in seconds["single"]], "ms", "at most 5" if fresh else ""),
        (f"{who}: chain, per step", [value * 1000 / CHAIN for value in seconds["chain"]], "ms", "at most 10" if fresh else ""),
        (f"{who}: fan-out, steps per second", [FAN / value for value in seconds["fan"]], "", "at least 120" if fresh else ""),
    ]


def compared(who, found):
    if not found[who]:
        return []
    bound = "at most 1" if who == "ours, shared" else ""
    return [(f"{who}, to {other}: {what}", ratios(found[who], found[other], key), "", bound if other == "Ray" else "")
            for other in RIVALS for key, what in (("chain", "chain"), ("fan", "fan-out"))]


def run():
    """functions that do nothing, on 2 workers; ours durable, Ray and Dask in memory, both with processes that are used again"""
    found = {who: [] for who in (*OURS, *RIVALS)}
    for _ in range(ROUNDS):
        for who, isolation in OURS.items():
            if seconds := ours(isolation):
                found[who].append(seconds)
        for who, script in RIVALS.items():
            found[who].append(rival(script))
    return [row for who, rounds in found.items() for row in rows_of(who, rounds)] + [row for who in OURS for row in compared(who, found)]
