"""What a Ray task does on its node, without Ray: real fork servers, and a test that plays the client."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENCE, alive, function, wait_for_death
from orchestra_runtime import channel, frames, ray_node, ray_step
from orchestra_runtime.frames import MESSAGE, OUTPUT, Frames


class Client:
    """For one task, which runs on a thread."""

    def __init__(self, key: str, folder: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.folder = folder
        self.failure: BaseException | None = None
        self.task = threading.Thread(target=self._run, args=(key,))
        self.task.start()
        connection, _ = self.listener.accept()
        self.frames = Frames(connection)
        self.messages: list[dict[str, Any]] = []
        self.output = b""
        self.output_ended = False
        hello = self.until("hello")
        assert hello["secret"] == "sesame" and hello["node"] == "127.0.0.1"

    def _run(self, key: str) -> None:
        try:
            ray_step.run(*self.listener.getsockname(), "sesame", key, (1, 3))
        except BaseException as failure:
            self.failure = failure

    def start(self, member: dict[str, Any], kind: str = "bare", staging: Path | None = None) -> None:
        self.folder.mkdir(exist_ok=True)
        member = {"operation": "function/python", "request": {}} | member | {"staging": str((staging or self.folder) / "result")}
        step = {"v": 1, "token": "t", "members": [member], "inputs": {}, "limits": {"memory": None, "cpu": 1.0}}
        self.send({"token": "t", "limits": {"memory": None, "processes": 100}, "step": step, "kind": kind, "type": "start"})

    def send(self, message: dict[str, Any]) -> None:
        self.frames.send(MESSAGE, channel._encoded(message))
        while self.frames.has_unsent:
            self.frames.flush()

    def until(self, kind: str) -> dict[str, Any]:
        while True:
            found = next((message for message in self.messages if message["type"] == kind), None)
            if found is not None:
                return found
            assert self.frames.is_open, f"no '{kind}' came: {self.messages} {self.failure}"
            self.read()

    def read(self) -> None:
        for what, content in self.frames.receive():
            if what == OUTPUT:
                self.output += content
                self.output_ended = self.output_ended or not content
            else:
                self.messages.append(channel.unpack(content))

    def hang_up(self) -> None:
        self.frames.close()

    def close(self) -> None:
        self.frames.close()
        self.listener.close()
        self.task.join(PATIENCE)
        assert not self.task.is_alive()


@pytest.fixture(scope="module", autouse=True)
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for temporary files that is the node's own."""
    tmp_path_factory.getbasetemp()  # it would be below that folder
    folder = tempfile.mkdtemp(prefix="orchestra-ray-", dir="/tmp")  # short: it holds Unix sockets
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", folder)
        yield
    deadline = time.monotonic() + PATIENCE
    while list(Path(folder).glob("*/*.node")):
        assert time.monotonic() < deadline, "what forks has not ended"
        time.sleep(0.05)
    shutil.rmtree(folder)


@pytest.fixture
def key() -> Iterator[str]:
    key = secrets.token_hex(4)
    yield key
    if (connection := ray_step._connections.pop(key, None)) is not None:
        connection.close()


@pytest.fixture
def client(key: str, tmp_path: Path) -> Iterator[Client]:
    client = Client(key, tmp_path / "staging")
    yield client
    client.close()


def test_a_step_tells_what_it_would_tell_the_server(client: Client) -> None:
    client.start(function("import os\nprint('hello')\nresponse = os.environ.get('CUDA_VISIBLE_DEVICES')"))
    exited = client.until("exited")
    assert [each["type"] for each in client.messages] == ["hello", "started", "member_ended", "exited"]
    assert exited["status"] == 0
    while not client.output_ended:
        client.read()
    assert client.output == b"hello\n"


def test_a_step_does_not_see_what_ray_has(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    client.start(function("import os\nassert 'RAY_AUTH_TOKEN' not in os.environ\nassert os.environ['CUDA_VISIBLE_DEVICES'] == '1,3'\nresponse = 1"))
    assert client.until("member_ended")["result"]["status"] == "finished"


def test_a_large_step_goes_by_file(client: Client) -> None:
    client.start(function("response = 1 #" + "x" * 300_000))
    assert client.until("member_ended")["result"]["status"] == "finished"
    client.until("exited")
    client.hang_up()
    client.task.join(PATIENCE)
    assert [path for path in ray_node.place().glob("*/step.json")] == []


def test_stop_reaches_the_keeper(client: Client) -> None:
    client.start(function("import time\ntime.sleep(1000)"))
    client.until("started")
    client.send({"type": "stop", "grace": 5})
    assert client.until("exited")["signal"] == signal.SIGTERM


def test_a_step_ends_with_its_connection(client: Client) -> None:
    client.start(function("import time\ntime.sleep(1000)"))
    step = client.until("started")["step"]
    assert alive(step)
    client.hang_up()
    wait_for_death(os.pidfd_open(step))
    client.task.join(PATIENCE)
    assert not client.task.is_alive() and client.failure is None


def test_a_node_without_the_mount_says_so(client: Client, tmp_path: Path) -> None:
    client.start(function("response = 1"), staging=tmp_path / "nowhere")
    assert f"{tmp_path}/nowhere is not there: the store (--store)" in client.until("refused")["why"]


def test_libraries_that_cannot_be_loaded_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.start(function("response = 1"), kind="no such kind")
    assert "fork server does not start" in client.until("refused")["why"]


def parent(number: int) -> int:
    return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])


def test_tasks_of_one_client_share_what_forks_them(key: str, tmp_path: Path) -> None:
    parents = []
    for number in (1, 2):
        client = Client(key, tmp_path / f"staging-{number}")
        client.start(function("response = 1"))
        keeper = client.until("started")["keeper"]
        parents.append(parent(keeper))
        client.until("exited")
        client.close()
    assert parents[0] == parents[1]


def test_what_forks_ends_when_its_last_client_has_gone(key: str, client: Client) -> None:
    client.start(function("response = 1"))
    forker = os.pidfd_open(parent(client.until("started")["keeper"]))
    client.until("exited")
    client.close()
    ray_step._connections.pop(key).close()
    wait_for_death(forker)


def test_a_killed_fork_server_is_replaced(key: str, tmp_path: Path) -> None:
    forkers = []
    for number in (1, 2):
        client = Client(key, tmp_path / f"staging-{number}")
        client.start(function("response = 1"))
        keeper = client.until("started")["keeper"]
        client.until("exited")
        forkers.append(parent(keeper))
        client.close()
        death = os.pidfd_open(forkers[-1])
        os.kill(forkers[-1], signal.SIGKILL)
        wait_for_death(death)
    assert forkers[0] != forkers[1]
