import concurrent.futures
import pathlib
import tempfile
import time

import titanic
from spark import build, load
from support import Server

WORKFLOWS = 20


def workflow(server, name):
    load(server, prefix=name)
    for step in build(server, name, *titanic.CLASSIFIERS, prefix=name):
        server.finished(step, timeout=1800)


def together(folder):
    """Seconds from the start of the server to the end of the last workflow."""
    start = time.perf_counter()
    with Server(pathlib.Path(folder) / "data") as server, concurrent.futures.ThreadPoolExecutor(WORKFLOWS) as clients:
        for ended in [clients.submit(workflow, server, f"crowd{i}") for i in range(WORKFLOWS)]:
            ended.result()
        return time.perf_counter() - start


def run():
    """Twenty Titanic workflows at once against twenty plain PySpark scripts one after another: seconds, all together"""
    with tempfile.TemporaryDirectory() as folder:
        ours = together(folder)
    scripts = [titanic.plain() for _ in range(WORKFLOWS)]
    return [("workflows at once", [ours], "s", ""), ("scripts in turn", [sum(scripts)], "s", ""), ("one script", scripts, "s", ""),
            ("ratio", [ours / sum(scripts)], "", "at most 0.35")]
