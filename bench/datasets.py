import contextlib
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import calls
from datasets_work import DRAWN, PROJECTED, ROWS, TYPED
from support import HOME, PREFIX, Server

RUNS = 5
PAGE = 20  # rows
PAGES = 300
CONNECTIONS = 32
PAGES_EACH = 250


def rival(tool, work, source, target):
    """Seconds."""
    pathlib.Path(target).unlink(missing_ok=True)
    command = [os.environ["ORCHESTRA_RIVALS_PYTHON"], HOME / "bench" / "datasets_rivals.py", tool, work, source, target]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


@contextlib.contextmanager
def served(path, times=1):
    """The file's URL; what follows its first line comes so many times."""
    with subprocess.Popen([sys.executable, HOME / "bench" / "file_server.py", path, str(times)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def timed(server, method, path, body, name, patience=120):
    """Seconds from the call to the observed end of its step."""
    start = time.perf_counter()
    answer = server.http.request(method, PREFIX + path, json=body)
    assert answer.status_code in (200, 201), answer.text
    server.finished(name, patience)
    return time.perf_counter() - start


def ingest(server, url, name, **types):
    return timed(server, "POST", "/dataset/csv", {"datasetName": name, "datasetURI": url, **types}, name)


def stored(server, name):
    """The file of a stored table."""
    size = server.step(name)["bytes"]
    return next(path for path in (server.data / "store" / "objects").glob("*/*") if path.stat().st_size == size)


class Comparison:
    """Ours and others', in turn."""

    def __init__(self, what, bound):
        self.what, self.bound = what, bound
        self.seconds = {}

    def add(self, who, seconds):
        self.seconds.setdefault(who, []).append(seconds)

    def rows(self):
        ours = self.seconds["ours"]
        best = min((who for who in self.seconds if who != "ours"), key=lambda who: statistics.median(self.seconds[who]))
        ratios = [mine / theirs for mine, theirs in zip(ours, self.seconds[best])]
        return [(f"{self.what}: {who}", [one * 1000 for one in seconds], "ms", "") for who, seconds in self.seconds.items()] + [
            (f"{self.what}: ours to {best}", ratios, "", f"at most {self.bound}")]


def compare_ingest(server, url, csv, out):
    compared = []
    for work, types in (("strings", {}), ("infer", {"types": "infer"})):
        comparison = Comparison(f"ingest, {work}", 1.1)
        for i in range(RUNS):
            comparison.add("ours", ingest(server, url, f"{work}{i}", **types))
            for tool in ("duckdb", "polars"):
                comparison.add(tool, rival(tool, work, csv, out))
        compared.append(comparison)
    return compared


def compare_table(server, table, out):
    """Works on the table that the first ingest made; both read that file."""
    project, typing, histogram = Comparison("project 3 of 12", 1.2), Comparison("type 4 columns", 1.2), Comparison("histogram of 2", 1.2)
    for i in range(RUNS):
        project.add("ours", timed(server, "POST", "/transform/projection",
                                  {"inputDatasetName": "strings0", "outputDatasetName": f"p{i}", "names": PROJECTED}, f"p{i}"))
        project.add("duckdb", rival("duckdb", "project", table, out))
        histogram.add("ours", timed(server, "POST", "/explore/histogram",
                                    {"inputDatasetName": "strings0", "outputDatasetName": f"h{i}", "names": DRAWN}, f"h{i}"))
        histogram.add("duckdb", rival("duckdb", "histogram", table, out))
        name = f"strings{i}"  # one of its own each: a table is typed in place
        typing.add("ours", timed(server, "PATCH", "/transform/dataType", {"inputDatasetName": name, "types": TYPED}, name))
        typing.add("duckdb", rival("duckdb", "type", table, out))
    return [project, typing, histogram]


def compare_profile(server, out):
    """Of the table with types; its columns in another order each time, since a profile that is known is not made again."""
    comparison, names = Comparison("profile of 12", 1.2), server.step("infer0")["fields"]
    for i in range(RUNS):
        turned = f"turned{i}"
        timed(server, "POST", "/transform/projection", {"inputDatasetName": "infer0", "outputDatasetName": turned, "names": names[i:] + names[:i]}, turned)
        start = time.perf_counter()
        answer = server.get(f"/transform/projection/{turned}/profile")
        comparison.add("ours", time.perf_counter() - start)
        assert answer.json()["result"]["rows"] == ROWS
        for tool in ("duckdb", "polars"):
            comparison.add(tool, rival(tool, "profile", stored(server, turned), out))
    return [comparison]


def streamed(server, name, accept, target):
    """Seconds from the request for a whole table to its last byte in a file; and megabytes a second."""
    start = time.perf_counter()
    subprocess.run(["curl", "-sSf", "-H", f"Accept: {accept}", "-o", target, f"{server.url}{PREFIX}/dataset/csv/{name}"], check=True)
    seconds = time.perf_counter() - start
    return seconds, pathlib.Path(target).stat().st_size / seconds / 1e6


def compare_streams(server, name, table, out):
    """The whole table as text; both read that file, and write one."""
    compared, rates = Comparison("a table as CSV", 1.2), {"text/csv": [], "application/x-ndjson": []}
    for _ in range(RUNS):
        for accept, found in rates.items():
            seconds, rate = streamed(server, name, accept, out)
            found.append(rate)
            if accept == "text/csv":
                compared.add("ours", seconds)
        for tool in ("duckdb", "polars"):
            compared.add(tool, rival(tool, "csv", table, out))
    return compared, [(f"a table as {accept}", found, "MB/s", "at least 200") for accept, found in rates.items()]


def page_request(server, skip):
    return calls.request(server, "GET", f"/dataset/csv/infer0?skip={skip}&limit={PAGE}")


def read_answer(connection):
    """One answer with a Content-Length, whole."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(1 << 16)
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(1 << 16)


def pages(server):
    """Milliseconds of pages at random depths, one after another; each in a part of the table that was not read before."""
    chance = random.Random(33)
    found = []
    with contextlib.closing(calls.connect(server)) as connection:
        for _ in range(PAGES):
            request = page_request(server, chance.randrange(ROWS - PAGE))
            start = time.perf_counter()
            connection.sendall(request)
            read_answer(connection)
            found.append((time.perf_counter() - start) * 1000)
    return found


def page_rate(server):
    """Pages per second for CONNECTIONS that ask at once, all in a part of the table that fits the cache."""
    chance = random.Random(7)
    requests = [[page_request(server, chance.randrange(100_000)) for _ in range(PAGES_EACH)] for _ in range(CONNECTIONS)]

    def ask(mine):
        with contextlib.closing(calls.connect(server)) as connection:
            for request in mine:
                connection.sendall(request)
                read_answer(connection)

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in requests]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CONNECTIONS * PAGES_EACH / (time.perf_counter() - start)


def run():
    """a CSV file of 4 million rows and 12 columns, over HTTP, beside DuckDB and Polars on the local file, which end with zstd Parquet as well"""
    with tempfile.TemporaryDirectory() as folder:
        csv, out = f"{folder}/rows.csv", f"{folder}/out.parquet"
        rival("duckdb", "generate", "", csv)
        with served(csv) as url, Server(f"{folder}/data") as server:
            compared = compare_ingest(server, url, csv, out)
            slow = sorted(pages(server))
            page_rate(server)
            rates = [page_rate(server) for _ in range(3)]
            compared += compare_profile(server, out)
            streams, stream_rates = compare_streams(server, "infer0", stored(server, "infer0"), out)
            compared += [streams, *compare_table(server, stored(server, "strings0"), out)]
    rows = [row for comparison in compared for row in comparison.rows()]
    return rows + stream_rates + [("page of 20 rows, cold", slow, "ms", ""),
                   ("page of 20 rows, cold, p99", [slow[len(slow) * 99 // 100]], "ms", "at most 10"),
                   ("pages per second, warm, 32 connections", rates, "", "at least 2000")]
