import tempfile
import time

from support import PREFIX, Server

STEPS = 200


def percentile(values, share):
    return sorted(values)[int(share * (len(values) - 1))]


def once(server, name):
    """Seconds from the POST to the observed end of a function that does nothing."""
    start = time.perf_counter()
    server.function(name, "response = None")
    server.http.get(f"{PREFIX}/observe/{name}", params={"wait": 30})
    return time.perf_counter() - start


def run():
    """one function step that does nothing: submit to observed finish, warm, durable, a process of its own"""
    with tempfile.TemporaryDirectory() as folder, Server(f"{folder}/data") as server:
        for i in range(20):
            once(server, f"warm{i}")
        taken = [once(server, f"step{i}") * 1000 for i in range(STEPS)]
    return [("p50", [percentile(taken, 0.5)], "ms", "at most 20"),
            ("p99", [percentile(taken, 0.99)], "ms", ""),
            ("all", taken, "ms", "")]
