"""A step on a node of a Ray cluster: what the Ray task does. No user code runs in Ray's process. The step is forked by the node's fork servers
(ray_node.py), with the same keeper as on the server's machine; and this process carries what they say and are told, over a connection to the Ray
client. When that breaks, or this process dies, the keeper kills the step with all that it started.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from orchestra_runtime import channel, frames, ray_node
from orchestra_runtime.frames import MESSAGE, OUTPUT, Frames
from orchestra_runtime.ray_node import CannotStart
from orchestra_runtime.scratch import Scratch

CONNECT = 10.0  # seconds to reach the Ray client
OUTPUT_PATIENCE = 2.0  # seconds for the end of the output, once no process of the step is left
PIECE = 1 << 16  # bytes of output that are sent at once
_connections: dict[str, ray_node.Connection] = {}  # by key; this process keeps them for its next steps


def run(host: str, port: int, secret: str, key: str, gpus: tuple[int, ...]) -> None:
    """Returns when no process of the step is left. The Ray client is at host and port, has given the secret to this task, and `key` to all of its tasks.
    `gpus`: those that are the task's own."""
    connection = socket.create_connection((host, port), timeout=CONNECT)
    frames.watch(connection, frames.OF_NODE)
    connection.settimeout(CONNECT)
    hello = {"type": "hello", "secret": secret, "node": connection.getsockname()[0]}
    connection.sendall(frames.frame(MESSAGE, channel.pack(hello)))
    with closing(Frames(connection)) as client:
        start = _first_message(client)
        if start is not None:  # it is still wanted
            _Relay(client, key).run(start, gpus)


def _first_message(client: Frames) -> dict[str, Any] | None:
    poller = select.poll()
    poller.register(client, select.POLLIN)
    while client.is_open and poller.poll(1000 * CONNECT):
        for _, content in client.receive():
            return channel.unpack(content)
    return None


def missing_folder(step: dict[str, Any]) -> str | None:
    """A folder of the server's that this node does not see."""
    folders = [Path(member["staging"]).parent for member in step["members"]]
    if step.get("checkpoint"):
        folders.append(Path(step["checkpoint"]))
    return next((str(folder) for folder in folders if not folder.is_dir()), None)


class _Relay:
    """Between the client and a keeper."""

    def __init__(self, client: Frames, key: str) -> None:
        self._client = client
        self._key = key
        self._keeper, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._output, self._writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(self._writing, True)
        self._keeper.setblocking(False)
        self._output_open = self._keeper_open = True
        self._was_told = False  # something by the keeper
        self._give_up_at: float | None = None
        self._beside: Scratch | None = None  # has the step file of a large step

    def run(self, start: dict[str, Any], gpus: tuple[int, ...]) -> None:
        try:
            self._launch(start, gpus)
            self._loop()
        finally:
            self._keeper.close()
            os.close(self._output)
            if self._beside is not None:
                self._beside.clear()

    def _launch(self, start: dict[str, Any], gpus: tuple[int, ...]) -> None:
        step = start.pop("step")
        try:
            if (missing := missing_folder(step)) is not None:
                raise CannotStart(f"{missing} is not there: the store (--store) has to be on a mount that all nodes of the Ray cluster have")
            message = self._message(start, step | {"gpus": list(gpus)})
            _node(self._key).launch(message, [self._theirs.fileno(), self._writing])
        except (CannotStart, OSError) as problem:
            self._refuse(str(problem))
        self._theirs.close()
        os.close(self._writing)

    def _message(self, start: dict[str, Any], step: dict[str, Any]) -> dict[str, Any]:
        """The start message; the step in a file where both do not fit into a packet."""
        start |= {"v": 1, "type": "start"}
        if len(json.dumps(start | {"step": step})) <= channel.MAX_PACKET:
            return start | {"step": step}
        self._beside = Scratch(str(ray_node.place()))
        path = os.path.join(self._beside.path, "step.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(step, file)
        return start | {"step_file": path}

    def _refuse(self, why: str) -> None:
        self._client.send(MESSAGE, channel.pack({"type": "refused", "why": f"on the node {socket.gethostname()}: {why}"}))
        self._keeper_open = self._output_open = False

    def _loop(self) -> None:
        while self._client.is_open and (self._keeper_open or self._output_open or self._client.has_unsent):
            for number, _ in self._poller().poll(self._patience()):
                if number == self._client.fileno():
                    self._client.flush()
                    self._obey()
                elif number == self._output:
                    self._print()
                elif number == self._keeper.fileno():
                    self._tell()
            if self._give_up_at is not None and time.monotonic() >= self._give_up_at:
                self._end_of_output()

    def _poller(self) -> select.poll:
        poller = select.poll()
        poller.register(self._client, select.POLLIN | (select.POLLOUT if self._client.has_unsent else 0))
        if not self._client.has_unsent:  # a client that reads slowly slows the step down
            if self._keeper_open:
                poller.register(self._keeper, select.POLLIN)
            if self._output_open:
                poller.register(self._output, select.POLLIN)
        return poller

    def _patience(self) -> float | None:
        return None if self._give_up_at is None else max(0.0, 1000 * (self._give_up_at - time.monotonic())) + 1

    def _obey(self) -> None:
        for _, content in self._client.receive():
            try:
                self._keeper.send(content)
            except OSError:  # it has ended
                pass

    def _print(self) -> None:
        piece = os.read(self._output, PIECE)
        if piece:
            self._client.send(OUTPUT, piece)
        else:
            self._end_of_output()

    def _end_of_output(self) -> None:
        self._give_up_at = None
        if self._output_open:
            self._output_open = False
            self._client.send(OUTPUT, b"")

    def _tell(self) -> None:
        try:
            packet = self._keeper.recv(channel.MAX_PACKET)
        except OSError:
            packet = b""
        if packet:
            self._was_told = True
            return self._client.send(MESSAGE, packet)
        self._keeper_open = False
        if not self._was_told and (why := _node(self._key).refusal()) is not None:
            self._refuse(why)
        if self._output_open:
            self._give_up_at = time.monotonic() + OUTPUT_PATIENCE
        return None


def _node(key: str) -> ray_node.Connection:
    """CannotStart or OSError when there is none to be had."""
    connection = _connections.get(key)
    if connection is None or not connection.is_alive():
        if connection is not None:
            connection.close()
        connection = _connections[key] = ray_node.Connection(key)
    return connection
