"""A job of the server's that runs on some node of a Ray cluster, as the Ray client has it: a Ray task, the connection to it, and what the server is told."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import socket
from typing import Any

from orchestra_runtime import channel, frames
from orchestra_runtime.frames import HEAD, MESSAGE, OUTPUT
from orchestra_runtime.link import Link

SAY_WAITING = 1.0  # seconds until the server is told that a job waits for Ray
REASON = 2.0  # seconds that Ray has to say why a connection broke
LAST_WORDS = 10.0  # seconds that a task has to end when its connection is closed
NOT_RUN = {"type": "exited", "status": None, "signal": None, "cpu_seconds": 0, "peak_memory": 0, "out_of_memory": False}


class RayJob:
    def __init__(self, start: dict[str, Any], server: socket.socket, output: int) -> None:
        """`server` is what a keeper has, `output` where the step prints to."""
        self._start = start
        self._demand = start.pop("demand")
        self._link = Link(server)
        self._output: int | None = output
        os.set_blocking(output, False)
        loop = asyncio.get_running_loop()
        self._stopped: asyncio.Future[None] = loop.create_future()  # before it ran, or the server does not want it any more
        self._called: asyncio.Future[tuple[str, asyncio.StreamReader, asyncio.StreamWriter]] = loop.create_future()
        self._writer: asyncio.StreamWriter | None = None
        self._exited = False

    def connected(self, node: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._called.done() or self._stopped.done():
            writer.close()
        else:
            self._called.set_result((node, reader, writer))

    async def run(self, *call: Any) -> None:
        """Returns when the server knows how it ended. `call`: what the task has to know to call (ray_step.run)."""
        asyncio.get_running_loop().add_reader(self._link.fileno(), self._hear)
        try:
            await self._run(_submit(self._start, self._demand, call))
        except Exception as problem:  # of Ray's API, which says nothing of what it raises
            self._lost(f"Ray: {type(problem).__name__}: {problem}")
            self._hang_up()

    async def _run(self, reference: Any) -> None:
        task = asyncio.ensure_future(_ended(reference))
        await self._first_of(task)
        if self._stopped.done():
            self._tell(NOT_RUN)
        elif self._called.done():
            node, reader, self._writer = self._called.result()
            await self._follow(node, reader)
            self._writer.close()
            if not self._exited:
                self._lost(f"the connection to the node {node} of the Ray cluster broke{await _reason(task)}")
        else:
            self._lost(f"Ray could not run it{await _reason(task)}")
        self._hang_up()
        await _see_off(reference, task, LAST_WORDS if self._writer else 0)

    async def _first_of(self, task: asyncio.Future[str]) -> None:
        """The task calls, or ends without; or it is not wanted any more."""
        news = {task, self._called, self._stopped}
        await asyncio.wait(news, return_when=asyncio.FIRST_COMPLETED, timeout=SAY_WAITING)
        if not any(each.done() for each in news):
            self._say_waiting()
            await asyncio.wait(news, return_when=asyncio.FIRST_COMPLETED)

    def _hang_up(self) -> None:
        """The server knows how it ended."""
        self._close_output()
        self._close_link()
        if self._called.done():
            self._called.result()[2].close()

    def _say_waiting(self) -> None:
        for member in self._start["step"]["members"]:
            self._tell({"type": "progress", "member": member["name"], "data": {"phase": "waiting for the Ray cluster"}})

    # --- while it runs ---

    async def _follow(self, node: str, reader: asyncio.StreamReader) -> None:
        """Until the node has nothing more to say, the connection breaks, or the server does not want it any more."""
        self._tell({"type": "placed", "node": node})
        assert self._writer is not None
        self._writer.write(frames.frame(MESSAGE, json.dumps(self._start).encode()))
        reading = asyncio.ensure_future(self._read(reader))
        await asyncio.wait({reading, self._stopped}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                kind, length = HEAD.unpack(await reader.readexactly(HEAD.size))
                content = await reader.readexactly(length) if length <= frames.MOST_BYTES else b""
                if kind == OUTPUT:
                    await self._print(content)
                else:
                    await self._pass_on(content)
        except (OSError, EOFError):
            pass

    async def _pass_on(self, packet: bytes) -> None:
        message = channel.unpack(packet)
        if message["type"] == "refused":
            self._exited = True
            return self._tell(NOT_RUN | {"error": message["why"]})
        self._exited = self._exited or message["type"] == "exited"
        self._link.forward(packet)
        while self._link.is_open and self._link.is_busy:
            await _writable(self._link.fileno())
            self._link.flush()
        return None

    async def _print(self, piece: bytes) -> None:
        """A server that reads slowly slows the step down."""
        if not piece:
            return self._close_output()
        while piece and self._output is not None:
            try:
                piece = piece[os.write(self._output, piece) :]
            except BlockingIOError:
                await _writable(self._output)
            except OSError:  # nobody reads it any more
                self._close_output()
        return None

    def _close_output(self) -> None:
        if self._output is not None:
            os.close(self._output)
        self._output = None

    # --- the server ---

    def _close_link(self) -> None:
        if self._link.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._link.fileno())
            self._link.close()

    def _hear(self) -> None:
        packet = self._link.hear()
        if packet is not None and self._writer is not None:
            self._writer.write(frames.frame(MESSAGE, packet))
        elif (packet is not None or not self._link.is_open) and not self._stopped.done():
            self._stopped.set_result(None)
        if not self._link.is_open:
            asyncio.get_running_loop().remove_reader(self._link.fileno())

    def _tell(self, message: dict[str, Any]) -> None:
        self._link.tell(message)

    def _lost(self, why: str) -> None:
        self._tell({"type": "lost", "why": why})


def _submit(start: dict[str, Any], demand: dict[str, Any], call: tuple[Any, ...]) -> Any:
    """The task. We try again ourselves, not Ray."""
    import ray

    if "step_file" in start:  # the nodes do not have it
        with open(start.pop("step_file"), encoding="utf-8") as file:
            start["step"] = json.load(file)
    resources = {"num_cpus": demand["cpu"], "num_gpus": demand["gpu"]} | ({"memory": demand["memory"]} if demand["memory"] else {})
    name = start["step"]["members"][0]["name"]
    return _remote_task().options(name=name, **resources).remote(*call)


@functools.cache
def _remote_task() -> Any:
    import ray

    return ray.remote(max_retries=0)(_task)


def _task(*call: Any) -> None:
    import ray

    from orchestra_runtime import ray_step

    ray_step.run(*call, tuple(int(each) for each in ray.get_gpu_ids()))


async def _ended(reference: Any) -> str:
    """How the task did: "" when well."""
    try:
        await reference
    except Exception as problem:
        cause = getattr(problem, "cause", None) or problem  # of an exception in the task
        return f"{type(cause).__name__}: {str(cause).strip().partition(chr(10))[0]}"
    return ""


async def _reason(task: asyncio.Future[str]) -> str:
    await asyncio.wait({task}, timeout=REASON)
    return f" ({task.result()})" if task.done() and task.result() else ""


async def _see_off(reference: Any, task: asyncio.Future[str], patience: float) -> None:
    """It ends by itself when its connection is closed; if not, its process is killed, which costs a warm one."""
    import ray

    await asyncio.wait({task}, timeout=patience)
    if not task.done():
        ray.cancel(reference, force=True)


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_writer(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)
