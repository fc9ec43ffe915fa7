"""orchestra_spark_server.py: the command line, and what a real server does with strangers and signals."""

from __future__ import annotations

import argparse
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


def test_the_secret_is_not_on_the_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "sesame")
    line = _launcher().command(_arguments(), tmp_path, "127.0.0.1")
    assert "sesame" not in " ".join(line)


def _arguments(defaults: pathlib.Path | None = None, master: str = "") -> argparse.Namespace:
    return argparse.Namespace(port=1, memory="1g", cores=2, master=master, defaults=defaults)


def test_settings_of_a_file_are_not_on_the_command_line_either(tmp_path: pathlib.Path) -> None:
    defaults = tmp_path / "spark-defaults.conf"
    defaults.write_text('# ours\n\nspark.authenticate.secret = open "sesame" \\o/\nspark.executor.memory\t2g\nspark.sql.shuffle.partitions=4\n')
    line = _launcher().command(_arguments(defaults, "spark://127.0.0.1:7077"), tmp_path, "127.0.0.1")
    assert "sesame" not in " ".join(line)
    (given,) = (pathlib.Path(word[1:]) for word in line if word.startswith("@"))
    assert given.stat().st_mode & 0o777 == 0o600
    settings = given.read_text().splitlines()
    assert '"-Dspark.authenticate.secret=open \\"sesame\\" \\\\o/"' in settings
    assert {'"-Dspark.executor.memory=2g"', '"-Dspark.sql.shuffle.partitions=4"', '"-Dspark.master=spark://127.0.0.1:7077"'} <= set(settings)
    shown = subprocess.run([_launcher().java(), f"@{given}", "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=PATIENCE)
    assert 'spark.authenticate.secret = open "sesame" \\o/' in shown.stderr


@pytest.mark.parametrize(("text", "why"), [
    ("spark.executor.memory\n", "line 1"),
    ("\nexecutor.memory 1g\n", "line 2"),
    ("spark.master spark://elsewhere:1\n", "spark.master is the server's own to set"),
])
def test_settings_that_are_none(tmp_path: pathlib.Path, text: str, why: str) -> None:
    defaults = tmp_path / "spark-defaults.conf"
    defaults.write_text(text)
    ended = _run("--port", "1", "--work-dir", str(tmp_path), "--defaults", str(defaults), SPARK_CONNECT_AUTHENTICATE_TOKEN="s")
    assert ended.returncode == 2
    assert why in ended.stderr and str(defaults) in ended.stderr


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
