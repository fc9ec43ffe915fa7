"""Calls that cost the machine next to nothing beside what the server does for them: requests made beforehand, sent many at a time
on connections of their own (no client library sends a request before the last one's answer), answers only counted."""

import concurrent.futures
import contextlib
import json
import socket

from support import PREFIX

CONNECTIONS = 16  # what they post together shares commits
LONGEST = 120  # seconds without a byte


def connect(server):
    host, _, port = server.url.rpartition("/")[2].rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=LONGEST)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def request(server, method, path, body=None):
    """The bytes of a request of the API."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {PREFIX}{path} HTTP/1.1\r\nHost: {server.url.rpartition('/')[2]}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


class Counter:
    """Counts a text in bytes that come in pieces."""

    def __init__(self, text):
        self.text = text
        self.count = 0
        self._rest = b""

    def add(self, piece):
        piece = self._rest + piece
        self.count += piece.count(self.text)
        self._rest = piece[-len(self.text) + 1:]


def post_in_turn(server, requests):
    """Sends them all on one connection, where the server takes one after the other; returns once each was answered with 201."""
    with contextlib.closing(connect(server)) as connection:
        connection.sendall(b"".join(requests))
        answers, made = Counter(b"HTTP/1.1 "), Counter(b"HTTP/1.1 201 ")
        while made.count < len(requests):
            piece = connection.recv(1 << 16)
            answers.add(piece)
            made.add(piece)
            if not piece or answers.count > made.count:
                raise RuntimeError(f"a step was refused: {piece[-2000:].decode(errors='replace')}")


def post_at_once(server, requests):
    """The same on CONNECTIONS of them."""
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(lambda first: post_in_turn(server, requests[first::CONNECTIONS]), range(min(CONNECTIONS, len(requests)))))


class Finishes:
    """The stream of a server's events, for counting the steps that finish from now on."""

    def __init__(self, server):
        self._connection = connect(server)
        self._connection.sendall(request(server, "GET", "/observe/stream"))
        self._finished = Counter(b"\nevent: finished\n")
        self._failed = Counter(b"\nevent: failed\n")
        hello = Counter(b"event: hello\n")
        while hello.count == 0:
            hello.add(self._connection.recv(1 << 16))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._connection.close()

    def wait(self, count):
        """Returns once so many more have finished."""
        until = self._finished.count + count
        while self._finished.count < until:
            piece = self._connection.recv(1 << 16)
            self._finished.add(piece)
            self._failed.add(piece)
            if not piece or self._failed.count:
                raise RuntimeError("a step failed, or the stream ended")
