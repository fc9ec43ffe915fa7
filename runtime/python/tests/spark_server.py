"""A local Spark Connect server, started as the server would start it. Not a test."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[1]
LAUNCHER = HOME / "orchestra_spark_server.py"
PATIENCE = 300.0  # seconds until a test gives up waiting: never reached by a test that passes
POLL = 0.05


class SparkServer:
    def __init__(self, folder: Path) -> None:
        self.secret = secrets.token_hex(16)
        self.port = _free_port()
        self.log = folder / "log"
        self.work_dir = folder / "spark [1]"  # a name that is no pattern
        self.work_dir.mkdir(parents=True)
        line = [sys.executable, "-I", str(LAUNCHER), "--port", str(self.port), "--work-dir", str(self.work_dir), "--cores", "2"]
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SPARK_CONNECT_AUTHENTICATE_TOKEN": self.secret}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_until_ready(self) -> None:
        wait_until(self._answers, f"the Spark server answers: {self.log.read_text()}")

    def session(self) -> dict[str, Any]:
        """The member `spark` of a step file, with a session of its own."""
        return {"url": f"sc://127.0.0.1:{self.port}", "token": self.secret, "session": str(uuid.uuid4())}

    def running_tasks(self) -> int:
        """Read from the thread dump that a JVM prints when asked by SIGQUIT."""
        known = self.log.stat().st_size
        self.process.send_signal(signal.SIGQUIT)
        wait_until(lambda: b"Metaspace" in self._log_from(known), "the JVM prints its threads")
        return self._log_from(known).count(b'"Executor task launch worker for task')

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def _log_from(self, position: int) -> bytes:
        with self.log.open("rb") as log:
            log.seek(position)
            return log.read()


def wait_until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(POLL)


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
