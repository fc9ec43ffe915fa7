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
            self.wait([b"event: hello\n"], min(TOGETHER, count - first))

    def wait(self, texts, count):
        """When each of the texts had been read by so many; an observer reads each of them once."""
        counters, reached = {}, {}
        until = time.monotonic() + LONGEST
        seen = dict.fromkeys(texts, 0)
        while len(reached) < len(texts):
            for number, _ in self.epoll.poll(1, 1024):
                piece = self.connections[number].recv(1 << 14)
                if not piece:
                    raise RuntimeError("the server ended a stream")
                for counter in counters.setdefault(number, [calls.Counter(text) for text in texts]):
                    before = counter.count
                    counter.add(piece)
                    seen[counter.text] += counter.count - before
            for text in texts:
                if seen[text] >= count:
                    reached.setdefault(text, time.perf_counter())
            if time.monotonic() > until:
                raise TimeoutError(f"of {count}: {seen}")
        return [reached[text] for text in texts]

    def close(self):
        for connection in self.connections.values():
            connection.close()


def event_reaches_all(server, crowd, name):
    """Milliseconds from the call that makes an event until the last observer has it."""
    start = time.perf_counter()
    server.function(name, "response = None")
    texts = [f'event: {event}\ndata: {{"name":"{name}"'.encode() for event in ("accepted", "finished")]
    accepted, _ = crowd.wait(texts, len(crowd.connections))
    return (accepted - start) * 1000


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
