"""The fork servers of a node of a Ray cluster: one process, with a fork server per kind of libraries, for all of Ray's processes there that work for
one Ray client. Started by the first of them, it ends when the last has gone; what its keepers keep dies with the sockets of each job.

One thread. A start message (PROTOCOL.md) with the member `kind` comes from a Ray process, and is passed on to the fork server of that kind.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestra_runtime import channel, keeper, scratch
from orchestra_runtime.channel import Channel

CONTROL = 3  # of a fork server
LINGER = 2.0  # seconds without a client until it ends
START_PATIENCE = 60.0  # seconds for a fork server's libraries
_HOME = Path(__file__).resolve().parent.parent


class CannotStart(Exception):
    """No step can be forked on this node; says why."""


def place() -> Path:
    """A folder of this user's on this node: sockets, and working folders of steps."""
    folder = Path(tempfile.gettempdir()) / f"orchestra-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise CannotStart(f"{folder} belongs to somebody else")
    return folder


# --- in a process of Ray's ---


class Connection:
    """To the node's process, which is started when there is none. `key` names the Ray client."""

    def __init__(self, key: str) -> None:
        path = place() / f"{key}.node"
        with _locked(path):
            endpoint = _connected(path) or _started(path)
        self._channel = Channel(endpoint)

    def is_alive(self) -> bool:
        poller = select.poll()
        poller.register(self._channel, select.POLLHUP)
        return not poller.poll(0)

    def launch(self, start: dict[str, Any], descriptors: Sequence[int]) -> None:
        """OSError when it is gone."""
        self._channel.send(start, descriptors)

    def refusal(self) -> str | None:
        """Why the start message came to nothing; None when nothing was said."""
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        message = self._channel.receive()[0] if poller.poll(0) else None
        return None if message is None else str(message.get("why"))

    def close(self) -> None:
        self._channel.close()


def _connected(path: Path) -> socket.socket | None:
    endpoint = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        endpoint.connect(str(path))
        return endpoint
    except OSError:
        endpoint.close()
        return None


def _started(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        command = [sys.executable, "-I", str(_HOME / "orchestra_ray_node.py"), str(path), str(listener.fileno())]
        # Ray ends the children of a process of its own with it; this one is nobody's child.
        subprocess.run(["/bin/sh", "-c", '"$@" &', "sh", *command], env=_environment(), cwd=place(), stdin=subprocess.DEVNULL,
                       pass_fds=[listener.fileno()], start_new_session=True, check=True)
    endpoint = _connected(path)
    if endpoint is None:
        raise CannotStart(f"nothing listens at {path}")
    return endpoint


def _environment() -> dict[str, str]:
    """Built, not inherited: Ray's own variables, its token among them, are nothing for a step."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": pwd.getpwuid(os.getuid()).pw_dir,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": str(place()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": str(place() / "matplotlib"),
        # One thread until the fork. A step raises them to its share.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Against another that starts one at this path, or one that is about to end."""
    while True:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), os.stat(f"{path}.lock")):
                break
        os.close(lock)  # it was removed meanwhile
    try:
        yield
    finally:
        os.close(lock)


# --- in the node's process ---


def main(path: str, listener: int) -> int:
    """`listener`: the descriptor of the socket that listens at `path`."""
    os.set_inheritable(listener, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    scratch.sweep()
    _sweep()
    return Node(Path(path), socket.socket(fileno=listener)).serve()


def _sweep() -> None:
    """Sockets of those that were killed."""
    for path in place().glob("*.node"):
        with _locked(path):
            if (endpoint := _connected(path)) is not None:
                endpoint.close()
            else:
                _remove(path)


def _remove(path: Path) -> None:
    """While it is locked."""
    path.unlink(missing_ok=True)
    Path(f"{path}.lock").unlink(missing_ok=True)


class Node:
    def __init__(self, path: Path, listener: socket.socket) -> None:
        self._path = path
        self._listener = listener
        self._listener.setblocking(False)
        self._clients: dict[int, Channel] = {}  # by descriptor
        self._servers: dict[str, NodeForkServer] = {}
        self._alone_since = time.monotonic()

    def serve(self) -> int:
        """Until the last client has gone; gives the exit status."""
        while not self._is_over():
            for number, _ in self._poller().poll(500):
                if number == self._listener.fileno():
                    self._accept()
                elif number in self._clients:
                    self._hear(number)
                else:
                    self._hear_of(number)
            self._bury()
        return 0

    def _poller(self) -> select.poll:
        poller = select.poll()
        for each in (self._listener, *self._clients.values(), *self._servers.values()):
            poller.register(each, select.POLLIN)
        return poller

    def _accept(self) -> bool:
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:
            return False
        self._clients[client.fileno()] = Channel(client)
        return True

    def _is_over(self) -> bool:
        if self._clients:
            self._alone_since = time.monotonic()
        if time.monotonic() - self._alone_since < LINGER:
            return False
        with _locked(self._path):
            if self._accept():
                return False
            _remove(self._path)
        return True

    def _hear(self, number: int) -> None:
        client = self._clients[number]
        try:
            packet, received = client.receive_packet(descriptors=keeper.DESCRIPTORS)
        except OSError:
            packet, received = b"", []
        if not packet:
            del self._clients[number]
            return client.close()
        kind = str(channel.unpack(packet).get("kind"))
        try:
            self._launch(kind, client, packet, received)
        except OSError as problem:
            client.tell({"type": "refused", "why": f"the {kind} fork server: {problem}"})
        finally:
            for each in received:
                os.close(each)
        return None

    def _launch(self, kind: str, client: Channel, packet: bytes, descriptors: Sequence[int]) -> None:
        with suppress(KeyError, OSError):  # there is none, or it has died just now
            return self._servers[kind].launch(client, packet, descriptors)
        self._servers[kind] = NodeForkServer(kind)
        return self._servers[kind].launch(client, packet, descriptors)

    def _hear_of(self, number: int) -> None:
        for kind, server in list(self._servers.items()):
            if server.fileno() == number and not server.hear():
                del self._servers[kind]

    def _bury(self) -> None:
        """Fork servers that are slow to start, and children that have ended."""
        for kind, server in list(self._servers.items()):
            if server.is_late():
                server.kill()
                del self._servers[kind]
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


class NodeForkServer:
    """As the node's process has it. What comes before it is ready waits."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._began = time.monotonic()
        self._is_ready = False
        self._waiting: deque[tuple[Channel, bytes, list[int]]] = deque()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = Channel(ours)
        with theirs:
            command = [sys.executable, "-I", str(_HOME / "orchestra_forkserver.py"), "--kind", kind]
            self._pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), CONTROL)], setsid=True)

    def fileno(self) -> int:
        return self._control.fileno()

    def is_late(self) -> bool:
        return not self._is_ready and time.monotonic() - self._began > START_PATIENCE

    def launch(self, client: Channel, packet: bytes, descriptors: Sequence[int]) -> None:
        """OSError when it is gone."""
        if self._is_ready:
            self._control.forward(packet, descriptors)
        else:
            self._waiting.append((client, packet, [os.dup(each) for each in descriptors]))

    def hear(self) -> bool:
        """False when it has ended: what waited for it is refused."""
        try:
            message, _ = self._control.receive()
        except OSError:
            message = None
        if message is None:
            self._refuse_all()
            return False
        if message["type"] == "ready":
            self._is_ready = True
            while self._waiting:
                _, packet, descriptors = self._waiting.popleft()
                self._control.forward(packet, descriptors)
                _close_all(descriptors)
        return True  # a refusal shows in the keeper's socket

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._refuse_all()

    def _refuse_all(self) -> None:
        self._control.close()
        while self._waiting:
            client, _, descriptors = self._waiting.popleft()
            client.tell({"type": "refused", "why": f"the {self._kind} fork server does not start: Ray's logs of this node tell why"})
            _close_all(descriptors)


def _close_all(descriptors: Sequence[int]) -> None:
    for each in descriptors:
        os.close(each)
