"""Real fork servers over real sockets, as the server would start them."""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HOME))

from orchestra_runtime.channel import Channel  # noqa: E402

PATIENCE = 60.0  # seconds until a test gives up waiting: never reached by a test that passes


class ForkServer:
    """`python -I orchestra_forkserver.py` with its control socket as descriptor 3."""

    def __init__(self, kind: str, *options: str, folder: Path, environment: dict[str, str] | None = None) -> None:
        endpoint, theirs = _socketpair()
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.errors = folder / "stderr"
        arguments = [sys.executable, "-I", str(HOME / "orchestra_forkserver.py"), "--kind", kind, *options]
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, str(self.errors), os.O_WRONLY | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, 2, 1),
            (os.POSIX_SPAWN_DUP2, theirs.fileno(), 3),
        ]
        given = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TMPDIR": str(self.temporary)} | (environment or {})
        self.pid = os.posix_spawn(sys.executable, arguments, given, file_actions=actions)
        theirs.close()
        self.control = Channel(endpoint)
        self.folder = folder
        self._started = 0

    def ready(self) -> dict[str, Any]:
        message, _ = self.control.receive()
        assert message is not None, self.errors.read_text()
        return message

    def start(self, *members: dict[str, Any], in_message: bool = False, **more: Any) -> Running:
        self._started += 1
        folder = self.folder / f"job-{self._started}"
        file = {"v": 1, "token": folder.name, "members": [], "inputs": {}, "limits": {"memory": None, "cpu": 1.0},
                "checkpoint": None, "spark": None} | more
        for member in members:
            staging = folder / "staging" / member["name"]
            staging.mkdir(parents=True)
            file["members"].append({"operation": "function/python", "request": {}} | member | {"staging": str(staging)})
        (folder / "step.json").write_text(json.dumps(file))
        ours, theirs = _socketpair()
        reading, writing = os.pipe()
        message = {"v": 1, "type": "start", "token": folder.name, "limits": file["limits"]}
        message |= {"step": file} if in_message else {"step_file": str(folder / "step.json")}
        self.control.forward(json.dumps(message, ensure_ascii=False).encode(), [theirs.fileno(), writing])
        theirs.close()
        os.close(writing)
        return Running(folder, ours, reading)

    def run(self, code: str, parameters: dict[str, Any] | None = None, **more: Any) -> Ended:
        return self.start(function(code, parameters), **more).ended()

    def close(self) -> int:
        """Gives the wait status."""
        self.control.close()
        return os.waitpid(self.pid, 0)[1]


class Running:
    """A job, as the server sees it."""

    def __init__(self, folder: Path, endpoint: socket.socket, output: int) -> None:
        self.folder = folder
        self.socket = endpoint
        self.channel = Channel(endpoint)
        self.messages: list[dict[str, Any]] = []
        self._output = bytearray()
        self._reader = threading.Thread(target=self._read, args=(output,))
        self._reader.start()

    def _read(self, pipe: int) -> None:
        with open(pipe, "rb", buffering=0) as file:
            while some := file.read(1 << 16):
                self._output += some

    def next(self) -> dict[str, Any] | None:
        message, _ = self.channel.receive()
        if message is not None:
            self.messages.append(message)
        return message

    def until(self, kind: str) -> dict[str, Any]:
        while (message := self.next()) is not None:
            if message["type"] == kind:
                return message
        raise AssertionError(f"the socket closed before '{kind}': {self.messages}")

    def progress(self) -> dict[str, Any]:
        return self.until("progress")["data"]

    def ended(self) -> Ended:
        exited = self.until("exited")
        assert self.next() is None
        return Ended(self, exited)

    def output(self) -> bytes:
        """Waits until no process has the pipe."""
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive()
        return bytes(self._output)


class Ended:
    def __init__(self, job: Running, exited: dict[str, Any]) -> None:
        self.job = job
        self.exited = exited
        self.output = job.output().decode()

    def result(self, member: str = "f") -> dict[str, Any] | None:
        """What the message told, its inline parts made files; else what result.json says."""
        for message in self.job.messages:
            if message["type"] == "member_ended" and message["member"] == member and "result" in message:
                return self._with_files(member, message["result"])
        path = self.staging(member) / "result.json"
        return json.loads(path.read_text()) if path.exists() else None

    def _with_files(self, member: str, result: dict[str, Any]) -> dict[str, Any]:
        parts = result.get("manifest", {}).get("parts", [])
        for part in parts:
            (self.staging(member) / part["name"]).write_bytes(base64.b64decode(part["inline"]))
        return result | ({"manifest": result["manifest"] | {"parts": [{"name": part["name"]} for part in parts]}} if parts else {})

    def staging(self, member: str = "f") -> Path:
        return self.job.folder / "staging" / member

    def as_input(self, member: str = "f") -> dict[str, Any]:
        """The result, as the next step's file names it."""
        manifest = self.finished(member)["manifest"]
        return manifest | {"parts": {part["name"]: str(self.staging(member) / part["name"]) for part in manifest["parts"]}}

    def finished(self, member: str = "f") -> dict[str, Any]:
        result = self.result(member)
        assert result is not None and result["status"] == "finished", (self.exited, result, self.output)
        return result

    def failed(self, member: str = "f") -> dict[str, Any]:
        result = self.result(member)
        assert result is not None and result["status"] == "failed", (self.exited, result, self.output)
        return result


def function(code: str, parameters: dict[str, Any] | None = None, name: str = "f") -> dict[str, Any]:
    return {"name": name, "request": {"name": name, "function": code, "functionParameters": parameters or {}}}


def alive(pid: int) -> bool:
    """Zombies count as dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_death(process: int) -> None:
    """Of the process that a pidfd names, which is closed."""
    poller = select.poll()
    poller.register(process, select.POLLIN)
    assert poller.poll(1000 * PATIENCE)
    os.close(process)


def _socketpair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(PATIENCE)
    return ours, theirs


def _server(kind: str, folder: Path) -> Iterator[ForkServer]:
    server = ForkServer(kind, folder=folder)
    server.ready()
    yield server
    assert server.close() == 0, server.errors.read_text()
    assert server.errors.read_text() == ""


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    yield from _server("bare", tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="session")
def scientific(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    yield from _server("scientific", tmp_path_factory.mktemp("scientific"))
