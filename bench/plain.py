"""Plain scripts, which workflows are held against."""

import json
import os
import subprocess
import time

from support import HOME


def run(python, name):
    """Seconds from the start of the process to its end, and of its work alone, without starting Python and importing."""
    start = time.perf_counter()
    done = subprocess.run([os.environ[python], HOME / "bench" / f"{name}_plain.py"], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    return seconds, json.loads(done.stdout[done.stdout.index("{"):])["work"]


def compared(scripts, first, warms):
    """Rows of a workflow's seconds, each warm run against the script that ran just before it."""
    pairs = [(warm / whole, warm / work) for warm, (whole, work) in zip(warms, scripts)]
    return [
        ("plain script", [whole for whole, _ in scripts], "s", ""),
        ("plain script, without start and imports", [work for _, work in scripts], "s", ""),
        ("workflow, the server's first", [first], "s", ""),
        ("workflow, warm", warms, "s", ""),
        ("ratio: warm to plain script", [ratio for ratio, _ in pairs], "", "at most 1.15"),
        ("ratio: warm to its work alone", [ratio for _, ratio in pairs], "", ""),
    ]
