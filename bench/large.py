import contextlib
import pathlib
import tempfile
import threading
import time

from datasets import rival, served, timed
from memory import proportional_set_size
from support import Server

TIMES = 28  # a file of some 370 MB, so often


@contextlib.contextmanager
def peak_of(pid):
    """Gives a list, whose last value is the most memory that the process had in the block, looked at twenty times a second."""
    peaks, ended = [proportional_set_size(pid)], threading.Event()

    def watch():
        while not ended.wait(0.05):
            peaks.append(max(peaks[-1], proportional_set_size(pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def run():
    """a CSV file of some 10 GB over HTTP: the server's memory (proportional set size) over that of the idle server, and the time"""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        csv = f"{folder}/rows.csv"
        rival("duckdb", "generate", "", csv)
        size = pathlib.Path(csv).stat().st_size * TIMES / 1e9
        with served(csv, TIMES) as url, Server(f"{folder}/data") as server:
            server.http.get("/ready")
            idle = proportional_set_size(server.process.pid)
            with peak_of(server.process.pid) as peaks:
                took = timed(server, "POST", "/dataset/csv", {"datasetName": "large", "datasetURI": url}, "large", 1200)
            rows = [("size of the file", [size], "GB", ""), ("rows", [server.step("large")["rows"] / 1e6], "M", ""), ("idle server", [idle], "MB", ""),
                    ("most memory over it", [peaks[-1] - idle], "MB", "at most 256"), ("to the observed end", [took], "s", "")]
    return rows
