import pathlib
import tempfile
import time

from processes import together
from support import PREFIX, Server

RUNS = 5
PLAIN = "response = 1"
SCIENTIFIC = "from sklearn.linear_model import LogisticRegression\nresponse = LogisticRegression().fit([[0], [1]], [0, 1])"


def started(folder, code):
    """A server, and seconds from its exec to the observed end of its first step."""
    start = time.perf_counter()
    server = Server(folder / "data")
    server.function("first", code)
    answer = server.http.get(f"{PREFIX}/observe/first", params={"wait": 60}).json()
    assert answer["result"]["status"] == "finished", answer
    return server, time.perf_counter() - start


def cold(code):
    with tempfile.TemporaryDirectory() as folder:
        server, seconds = started(pathlib.Path(folder), code)
        with server:
            return seconds


def run():
    """exec of the server to the end of its first step; memory of the server and its warm processes (proportional set size)"""
    plain, scientific = [], []
    for _ in range(RUNS):
        plain.append(cold(PLAIN) * 1000)
        scientific.append(cold(SCIENTIFIC))
    with tempfile.TemporaryDirectory() as folder:
        server, _ = started(pathlib.Path(folder), PLAIN)
        with server:
            server.function("second", SCIENTIFIC)
            server.finished("second")
            memory = together(server.process.pid)
    return [("exec to the end of a plain step", plain, "ms", "at most 500"),
            ("exec to the end of a scikit-learn step", scientific, "s", "at most 5"),
            ("all processes, warm for both", [memory], "MB", "at most 300")]
