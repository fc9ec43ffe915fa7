"""The fork servers of a process of Ray's, one per kind of libraries: started when the first step needs one, they stay until that process ends."""

from __future__ import annotations

import os
import pwd
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestra_runtime.channel import Channel

START_PATIENCE = 60.0  # seconds for the libraries
_ENTRY = Path(__file__).resolve().parent.parent / "orchestra_forkserver.py"
_servers: dict[str, NodeForkServer] = {}


class CannotStart(Exception):
    """No step can be forked here; says why."""


def of_kind(kind: str) -> NodeForkServer:
    """A living one. CannotStart when it does not come up."""
    server = _servers.get(kind)
    if server is None or not server.is_alive():
        server = _servers[kind] = NodeForkServer(kind)
    return server


def scratch() -> str:
    """A folder of this user's on this node, for the working folders of steps."""
    folder = Path(tempfile.gettempdir()) / f"orchestra-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise CannotStart(f"{folder} belongs to somebody else")
    return str(folder)


class NodeForkServer:
    def __init__(self, kind: str) -> None:
        self._kind = kind
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = Channel(ours)
        with theirs:
            command = [sys.executable, "-I", str(_ENTRY), "--kind", kind, "--control", str(theirs.fileno())]
            self._process = subprocess.Popen(command, env=_environment(), cwd=scratch(), stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                                             start_new_session=True)
        self._await_ready()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def launch(self, start: dict[str, Any], descriptors: Sequence[int]) -> None:
        """A keeper gets the start message. CannotStart when the fork server is gone; when it cannot fork, the keeper's socket just closes."""
        try:
            self._control.send(start, descriptors)
        except OSError as error:
            raise CannotStart(f"the {self._kind} fork server is gone: {error}") from error

    def _await_ready(self) -> None:
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        message = self._control.receive()[0] if poller.poll(1000 * START_PATIENCE) else None
        if message is None:
            self._process.kill()
            raise CannotStart(f"the {self._kind} fork server does not start (status {self._process.wait()}): Ray's worker logs tell why")


def _environment() -> dict[str, str]:
    """Built, not inherited: Ray's own variables, its token among them, are nothing for a step."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": scratch(),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": f"{scratch()}/matplotlib",
        # One thread until the fork. A step raises them to its share.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }
