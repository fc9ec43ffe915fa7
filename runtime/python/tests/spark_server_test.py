"""orchestra_spark_server.py: the command line, and what a real server does with strangers and signals."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import signal
import subprocess
import sys

import pytest

pytest.importorskip("pyspark", reason="needs the environment of kind spark")
pytestmark = pytest.mark.spark

from spark_server import LAUNCHER, PATIENCE, SparkServer  # noqa: E402


def _launcher():
    spec = importlib.util.spec_from_file_location("orchestra_spark_server", LAUNCHER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-I", str(LAUNCHER), *arguments], capture_output=True, text=True, timeout=PATIENCE,
                          env={"PATH": os.environ["PATH"]} | environment)


def test_opens_to_spark_what_its_own_launcher_opens() -> None:
    launcher = _launcher()
    home = launcher.jars().parent
    said = subprocess.run([launcher.java(), "-cp", f"{launcher.jars()}/*", "org.apache.spark.launcher.Main",
                           "org.apache.spark.deploy.SparkSubmit", "--class", launcher.SERVER, "none.jar"],
                          env={"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13"}, capture_output=True, timeout=PATIENCE, check=True)
    options = [word for word in said.stdout.decode().split("\0") if word.startswith(("--add", "--enable", "--sun", "-XX:+Ignore", "-Dio."))]
    assert options == launcher.MODULE_OPTIONS


def test_the_secret_is_not_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "sesame")
    assert "sesame" not in " ".join(_launcher().command(1, pathlib.Path("/tmp"), "1g", 2))


@pytest.mark.parametrize(("environment", "why"), [
    ({}, "SPARK_CONNECT_AUTHENTICATE_TOKEN is not set"),
    ({"SPARK_CONNECT_AUTHENTICATE_TOKEN": "s", "JAVA_HOME": "/nowhere"}, "no java in /nowhere"),
])
def test_says_what_is_missing(tmp_path: pathlib.Path, environment: dict[str, str], why: str) -> None:
    ended = _run("--port", "1", "--work-dir", str(tmp_path), **environment)
    assert ended.returncode == 2
    assert why in ended.stderr


def test_listens_on_loopback_alone_and_ends_when_told(tmp_path: pathlib.Path) -> None:
    server = SparkServer(tmp_path)
    server.wait_until_ready()
    listening = _listening_addresses(server.process.pid)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(PATIENCE) == 128 + signal.SIGTERM
    assert listening and set(listening) <= _LOOPBACK, listening


_LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}  # 127.0.0.1, as /proc/net writes it


def _listening_addresses(pid: int) -> list[str]:
    sockets = {os.readlink(descriptor.path) for descriptor in os.scandir(f"/proc/{pid}/fd")}
    lines = [line.split() for family in ("tcp", "tcp6") for line in pathlib.Path(f"/proc/{pid}/net/{family}").read_text().splitlines()[1:]]
    return [line[1].partition(":")[0] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in sockets]
