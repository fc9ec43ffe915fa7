import pathlib
import tempfile
import time

from support import Server


def proportional_set_size(pid):
    """MB of physical memory, shared pages counted by their share."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise ValueError("no Pss")


def start_to_ready(folder):
    start = time.perf_counter()
    with Server(folder) as server:
        server.http.get("/ready")
        return (time.perf_counter() - start) * 1000


def run():
    """the server without workers: memory when idle (proportional set size), exec to /ready"""
    with tempfile.TemporaryDirectory() as folder:
        with Server(f"{folder}/data") as server:
            server.http.get("/ready")
            idle = proportional_set_size(server.process.pid)
        starts = [start_to_ready(f"{folder}/data{i}") for i in range(9)]
    return [("idle memory", [idle], "MB", "at most 60"), ("exec to /ready", starts, "ms", "at most 200")]
