import contextlib
import pathlib
import resource
import select
import tempfile
import time

import calls
from memory import proportional_set_size
from support import Server

OBSERVERS = 5_000
EVENTS = 9
TOGETHER = 100  # connections that are made before their answers are read: fewer than the kernel lets wait
LONGEST = 30  # seconds


class Crowd:
    """Observers of the stream of events, all in this one thread."""

    def __init__(self, server):
        self.server = server
        self.connections = {}
        self.epoll = select.epoll()

    def add(self, count):
        asked = calls.request(self.server, "GET", "/observe/stream")
        for first in range(0, count, TOGETHER):
            for _ in range(min(TOGETHER, count - first)):
                connection = calls.connect(self.server)
                connection.sendall(asked)
                connection.setblocking(False)
                self.connections[connection.fileno()] = connection
                self.epoll.register(connection, select.EPOLLIN)
            self.wait(b"event: hello\n", min(TOGETHER, count - first))

    def wait(self, text, count):
        """Returns once so many have read a text that each reads once."""
        counters = {}
        until = time.monotonic() + LONGEST
        seen = 0
        while seen < count:
            for number, _ in self.epoll.poll(until - time.monotonic(), 1024):
                piece = self.connections[number].recv(1 << 14)
                if not piece:
                    raise RuntimeError("the server ended a stream")
                counter = counters.setdefault(number, calls.Counter(text))
                counter.add(piece)
                seen += counter.count
                counter.count = 0
            if time.monotonic() > until:
                raise TimeoutError(f"{seen} of {count} read {text!r}")

    def close(self):
        for connection in self.connections.values():
            connection.close()


def event_reaches_all(server, crowd, name):
    """Milliseconds from the call that makes an event until the last observer has it."""
    start = time.perf_counter()
    server.function(name, "response = None")
    crowd.wait(f'event: accepted\ndata: {{"name":"{name}"'.encode(), len(crowd.connections))
    took = (time.perf_counter() - start) * 1000
    crowd.wait(f'event: finished\ndata: {{"name":"{name}"'.encode(), len(crowd.connections))
    return took


def run():
    """5,000 observers of one stream of events, on one server: until an event has reached all of them; memory for each"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * OBSERVERS), hard))
    try:
        return observed()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def observed():
    with tempfile.TemporaryDirectory() as folder, Server(pathlib.Path(folder) / "data") as server:
        crowd = Crowd(server)
        with contextlib.closing(crowd):
            crowd.add(20)
            event_reaches_all(server, crowd, "few")
            before = proportional_set_size(server.process.pid)
            crowd.add(OBSERVERS - 20)
            event_reaches_all(server, crowd, "first")
            after = proportional_set_size(server.process.pid)
            taken = [event_reaches_all(server, crowd, f"step{i}") for i in range(EVENTS)]
    return [("event to all", taken, "ms", "at most 1000"),
            ("memory for each", [(after - before) * 1000 / (OBSERVERS - 20)], "KB", "at most 20")]
