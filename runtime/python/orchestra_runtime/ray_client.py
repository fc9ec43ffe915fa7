"""The Ray client: to the server a fork server, whose keepers and steps are on the nodes of a Ray cluster (PROTOCOL.md).

One event loop. For each job it submits a Ray task and waits for it to call: Ray chooses the node and counts resources, what the step says and is told goes over that
one connection. Ray's own threads only make futures ready.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestra_runtime import channel, frames, ray_cluster
from orchestra_runtime.channel import Channel
from orchestra_runtime.frames import HEAD, MESSAGE
from orchestra_runtime.ray_job import RayJob

CONTROL = 3  # the descriptor that leads to the server
DESCRIPTORS = 2  # that come with a start message: the keeper's socket and the step's output
HELLO = 10.0  # seconds for a task that has connected to say which it is
ANEW = 1.0  # seconds until a cluster that does not answer is tried again
GONE = 30.0  # seconds that an earlier server's driver may take to be found dead
OK, REFUSED, UNREACHABLE, BAD_MESSAGE = 0, 5, 6, 4  # exit statuses


def main(arguments: Sequence[str], began: float) -> int:
    """`began`: when the process did, by the monotonic clock. Gives the exit status."""
    options = _options(arguments)
    ray_cluster.set_variables()
    if options.check:
        return _check(options.address)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from a terminal, it is meant for the server
    control = Channel(socket.socket(fileno=CONTROL))
    try:
        cluster = _await_cluster(options.address, options.namespace, control)
        _connect(options.address, options.namespace)
    except (ray_cluster.Refused, ray_cluster.Unreachable) as why:
        print(why, file=sys.stderr, flush=True)
        return REFUSED if isinstance(why, ray_cluster.Refused) else UNREACHABLE
    control.tell({"v": 1, "type": "ready", "pid": os.getpid(), "kind": "ray", "load_seconds": round(time.monotonic() - began, 4), "cluster": cluster.to_json()})
    return asyncio.run(RayClient(control).serve())


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Has steps run on a Ray cluster; started by the server.", allow_abbrev=False)
    parser.add_argument("--address", required=True, metavar="HOST:PORT", help="of the cluster's head")
    parser.add_argument("--namespace", default="orchestra", help="names the server: there is one driver of that name at a time")
    parser.add_argument("--check", action="store_true", help="only says what the cluster has, or what is wrong with it")
    return parser.parse_args(arguments)


def _check(address: str) -> int:
    """The last line that it prints is JSON: what the cluster has, or {"refused": TEXT}, or {"unreachable": TEXT}."""
    try:
        answer, status = ray_cluster.look(address).to_json(), OK
    except ray_cluster.Refused as why:
        answer, status = {"refused": str(why)}, REFUSED
    except ray_cluster.Unreachable as why:
        answer, status = {"unreachable": str(why)}, UNREACHABLE
    print(json.dumps(answer), flush=True)
    return status


def _await_cluster(address: str, namespace: str, control: Channel) -> ray_cluster.Cluster:
    """Once it answers, and what an earlier server with this name began is gone. Ends the process when the server does."""
    said, deadline = "", 0.0
    while True:
        try:
            cluster = ray_cluster.look(address)
            deadline = deadline or time.monotonic() + GONE
            left = ray_cluster.earlier_drivers(address, namespace)
            if left == 0 or time.monotonic() > deadline:
                return cluster
            why = "the driver of an earlier server with this data is not gone yet"
        except ray_cluster.Unreachable as problem:
            why = str(problem)
        if why != said:
            print(f"{why}; it is tried again", file=sys.stderr, flush=True)
        said = why
        if select.select([control], [], [], ANEW)[0]:  # nothing is sent to one that is not ready
            os._exit(OK)


def _connect(address: str, namespace: str) -> None:
    import ray

    runtime = {"working_dir": str(Path(__file__).resolve().parent.parent), "excludes": ["tests", "**/__pycache__", "*.md"]}
    try:
        ray.init(address=address, namespace=namespace, log_to_driver=False, logging_level="WARNING", runtime_env=runtime)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ray_cluster.Unreachable(f"{address}: {error}") from error
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # Ray's own handler tells a long story


class RayClient:
    def __init__(self, control: Channel) -> None:
        self._control = control
        self._ended: asyncio.Future[int]
        self._key = secrets.token_hex(8)
        self._expected: dict[str, RayJob] = {}  # by secret: tasks that have not connected
        self._jobs: set[asyncio.Task[None]] = set()

    async def serve(self) -> int:
        """Until the server closes the control socket; gives the exit status. Jobs end with the process."""
        import ray

        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        host = ray.util.get_node_ip_address()
        listener = await asyncio.start_server(self._called, host, 0)
        self._address = host, listener.sockets[0].getsockname()[1]
        loop.add_reader(self._control.fileno(), self._hear)
        status = await self._ended
        os._exit(status)  # Ray's own end takes seconds, and the closed connections say all

    def _hear(self) -> None:
        packet, received = self._control.receive_packet(descriptors=DESCRIPTORS)
        message = channel.unpack(packet) if packet else None
        if message is None or message["type"] != "start" or len(received) != DESCRIPTORS:
            if message is not None:
                print(f"Ray client: message of unknown type '{message['type']}'", file=sys.stderr, flush=True)
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            return self._ended.set_result(OK if message is None else BAD_MESSAGE)
        self._begin(message, received)
        return None

    def _begin(self, start: dict[str, Any], received: Sequence[int]) -> None:
        job = RayJob(start, socket.socket(fileno=received[0]), received[1])
        secret = secrets.token_hex(16)
        self._expected[secret] = job
        task = asyncio.get_running_loop().create_task(job.run(*self._address, secret, self._key))
        self._jobs.add(task)

        def over(_: asyncio.Task[None]) -> None:
            self._expected.pop(secret, None)
            self._jobs.discard(task)

        task.add_done_callback(over)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Of a task, as it says; of whoever else, the connection is closed."""
        frames.watch(writer.get_extra_info("socket"), frames.OF_CLIENT)
        try:
            job, node = await asyncio.wait_for(self._who(reader), HELLO)
        except (OSError, EOFError, ValueError, LookupError, TimeoutError):
            writer.close()
            return
        job.connected(node, reader, writer)

    async def _who(self, reader: asyncio.StreamReader) -> tuple[RayJob, str]:
        kind, length = HEAD.unpack(await reader.readexactly(HEAD.size))
        if kind != MESSAGE or length > channel.MAX_PACKET:
            raise ValueError("no hello")
        hello = channel.unpack(await reader.readexactly(length))
        return self._expected.pop(str(hello.get("secret"))), str(hello.get("node"))
