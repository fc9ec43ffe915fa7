"""orchestra_spark_check.py, as the server asks it: what it says of Sparks that are there, and of those that are not."""

from __future__ import annotations

import concurrent.futures
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="needs the environment of kind spark")
pytestmark = pytest.mark.spark

import grpc  # noqa: E402
from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc  # noqa: E402
from spark_server import HOME, PATIENCE, SparkServer  # noqa: E402

NOBODY = "sc://127.0.0.1:1"


def ask(**question: Any) -> dict[str, str]:
    asked = {"url": "", "token": "", "name": "the Spark server", "defaults": "", "memory": "1g", "store": "", "thorough": False} | question
    asked["shown"] = asked["url"].partition("/;")[0]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        variables = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
        process = subprocess.Popen([sys.executable, "-I", str(HOME / "orchestra_spark_check.py")], env=variables, pass_fds=[3],
                                   preexec_fn=lambda: os.dup2(theirs.fileno(), 3))
        theirs.close()
        ours.sendall(json.dumps(asked).encode())
        ours.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: ours.recv(65536), b""))
        assert process.wait(PATIENCE) == 0
    return json.loads(said)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkServer]:
    server = SparkServer(tmp_path_factory.mktemp("spark"))
    server.wait_until_ready()
    yield server
    server.process.kill()
    server.process.wait(PATIENCE)


def test_one_of_our_own_needs_java_and_pyspark_alone() -> None:
    said = ask()
    assert said["says"].startswith("Spark 4.") and "/java" in said["says"]


def test_settings_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "defaults").write_text("spark.master local\n")
    assert str(tmp_path / "defaults") in ask(defaults=str(tmp_path / "defaults"))["error"]
    assert "cannot be read" in ask(defaults=str(tmp_path / "none"))["error"]


@pytest.mark.parametrize("url", [NOBODY, "spark://127.0.0.1:1", "sc://nobody.invalid:15002", "spark://nobody.invalid:7077,127.0.0.1:1"])
def test_nobody_is_there(url: str) -> None:
    said = ask(url=url, name=f"{url} (--spark)")["error"]
    assert said.startswith(f"{url} (--spark) cannot be reached: ") and "\n" not in said


def test_a_connect_server_with_its_token(spark: SparkServer, tmp_path: Path) -> None:
    url = f"sc://127.0.0.1:{spark.port}"
    assert ask(url=url, token=spark.secret)["says"].startswith("Spark 4.")
    assert ask(url=f"{url}/;token={spark.secret}")["says"].startswith("Spark 4.")
    (tmp_path / "catalog").write_text("x\n")
    assert ask(url=url, token=spark.secret, thorough=True, store=str(tmp_path)) == {"says": ask(url=url, token=spark.secret)["says"], "warning": ""}


@pytest.mark.parametrize(("token", "why"), [("wrong", "refuses the token"), ("", "wants a token")])
def test_a_connect_server_without_its_token(spark: SparkServer, token: str, why: str) -> None:
    said = ask(url=f"sc://127.0.0.1:{spark.port}", token=token, name="S (--spark)")["error"]
    assert said.startswith("S (--spark) ") and why in said and "wrong" not in said


class _Old(base_pb2_grpc.SparkConnectServiceServicer):
    """Speaks the protocol, and says that it is an older Spark."""

    def AnalyzePlan(self, request: Any, context: Any) -> Any:
        answer = base_pb2.AnalyzePlanResponse(session_id=request.session_id)
        answer.spark_version.version = "3.5.7"
        return answer

    def Config(self, request: Any, context: Any) -> Any:
        return base_pb2.ConfigResponse(session_id=request.session_id)

    def ReleaseSession(self, request: Any, context: Any) -> Any:
        return base_pb2.ReleaseSessionResponse(session_id=request.session_id)


def test_another_version() -> None:
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    base_pb2_grpc.add_SparkConnectServiceServicer_to_server(_Old(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        said = ask(url=f"sc://127.0.0.1:{port}", name="S (--spark)")["error"]
    finally:
        server.stop(None)
    assert said.startswith("S (--spark) is Spark 3.5.7, which builder steps cannot speak to")


def test_somebody_who_is_no_spark() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, concurrent.futures.ThreadPoolExecutor(1) as pool:
        answering = pool.submit(_hang_up, other)
        assert "does not answer" in ask(url=f"sc://127.0.0.1:{other.getsockname()[1]}")["error"]
        other.shutdown(socket.SHUT_RDWR)
        answering.result(PATIENCE)


def _hang_up(server: socket.socket) -> None:
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return
