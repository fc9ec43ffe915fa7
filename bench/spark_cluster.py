import pathlib
import tempfile
import time

from spark import build, load, running_cluster
from support import Server

CLASSIFIERS = ("LR", "DT", "GB", "RF", "NB")
ROUNDS = 3
SHARE = 0.5  # of a core, for each worker with its executor
PERIOD = 100_000  # microseconds
CPU_GROUPS = pathlib.Path("/sys/fs/cgroup/cpu")  # control groups of version 1

# Becomes a worker in a control group of its own.
HELD = f"""
group={CPU_GROUPS}/orchestra-bench-$$
mkdir "$group" && echo {PERIOD} > "$group/cpu.cfs_period_us" && echo {int(PERIOD * SHARE)} > "$group/cpu.cfs_quota_us" && echo $$ > "$group/cgroup.procs" && exec "$@"
"""


def seconds(workers, times):
    """Of builder steps on so many workers, the first of which, for which all JVMs are cold, does not count."""
    with tempfile.TemporaryDirectory() as folder, running_cluster(workers, wrap=("/bin/sh", "-c", HELD, "held")) as cluster:
        with Server(pathlib.Path(folder) / "data", *cluster.options) as server:
            load(server, times=times)
            return [once(server, f"round{i}") for i in range(ROUNDS + 1)][1:]


def once(server, name):
    start = time.perf_counter()
    for step in build(server, name, *CLASSIFIERS):
        server.finished(step, timeout=1800)
    return time.perf_counter() - start


def sweep():
    """Control groups go when the last process has left them."""
    for group in CPU_GROUPS.glob("orchestra-bench-*"):
        group.rmdir()


def run():
    """The Titanic builder on a standalone cluster: one worker against three, each held to half a core; seconds, and how much faster three are"""
    if not (CPU_GROUPS / "cpu.shares").exists():
        return [("one worker against three", [], "", "no control groups of version 1 for processor time here")]
    rows = []
    try:
        for times, bound in ((10, "at least 1.3"), (1_000, "at least 2")):
            one, three = seconds(1, times), seconds(3, times)
            rows += [(f"rows × {times:,}: one worker", one, "s", ""), (f"rows × {times:,}: three", three, "s", ""),
                     (f"rows × {times:,}: one to three", [a / b for a, b in zip(sorted(one), sorted(three))], "", bound)]
    finally:
        sweep()
    return rows
