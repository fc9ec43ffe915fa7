"""Sparks of the tests' own, of PySpark's own jars: a standalone cluster, one master and small workers, which they can kill; and a Connect endpoint with a token."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import psutil
import pytest

from support import BINARY, HOME, eventually

MASTER, WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
LITTLE = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx192m")
EXECUTOR_MEGABYTES = 480  # the least that Spark takes for one is 450
DEFAULTS = f"""spark.executor.memory {EXECUTOR_MEGABYTES}m
spark.executor.cores 1
spark.executor.extraJavaOptions -XX:+UseSerialGC -XX:TieredStopAtLevel=1
"""
PATIENCE = 240.0
EXAMPLE = HOME / "examples" / "titanic"
MODELING = (EXAMPLE / "modeling.py").read_text()
SMALL = """
from pyspark.ml.feature import VectorAssembler
assembler = VectorAssembler(inputCols=["SibSp", "Parch"], outputCol="features")
features_training = assembler.transform(training_df).withColumnRenamed("Survived", "label")
features_evaluation = None
features_testing = assembler.transform(testing_df).select("PassengerId", "features")
"""
WITHOUT_END = "features_training = features_training.crossJoin(spark.range(10**12).select()).where('label < 5')\n"
ENDLESS = SMALL + WITHOUT_END


def load(server, prefix: str = "titanic", times: int = 1) -> None:
    """The example's two tables, typed: <prefix>_train_typed, <prefix>_test_typed; the rows of the first so many times."""
    for part, fields in (("train", ["PassengerId", "Survived"]), ("test", ["PassengerId"])):
        name = f"{prefix}_{part}"
        header, newline, rows = (EXAMPLE / f"titanic_{part}.csv").read_bytes().partition(b"\n")
        server.upload(name, header + newline + rows * (times if part == "train" else 1)).raise_for_status()
        numbers = [*fields, "Pclass", "Age", "SibSp", "Parch", "Fare"]
        body = {"inputDatasetName": name, "outputDatasetName": f"{name}_typed", "names": [*numbers, "Name", "Sex", "Embarked"]}
        server.post("/transform/projection", body).raise_for_status()
        server.patch("/transform/dataType", {"inputDatasetName": f"{name}_typed", "types": dict.fromkeys(numbers, "number")}).raise_for_status()


def build(server, name: str, *classifiers: str, code: str = MODELING, prefix: str = "titanic", **more: object) -> list[str]:
    """The names of the steps that a builder step was made into."""
    body = {"name": name, "trainDatasetName": f"{prefix}_train_typed", "testDatasetName": f"{prefix}_test_typed", "modelingCode": code,
            "classifiersList": list(classifiers), **more}
    server.post("/builder/sparkml", body).raise_for_status()
    return [name + each for each in classifiers]


def until_phase(server, name: str, phase: str) -> None:
    server.progress_until(name, lambda progress: progress.get("phase") == phase, PATIENCE)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def spark_home() -> pathlib.Path:
    python = os.environ.get("ORCHESTRA_SPARK_PYTHON", "")
    if not python:
        pytest.skip("there is no Spark: ./orchestra test makes its environment")
    (found,) = pathlib.Path(python).parent.parent.glob("lib/python*/site-packages/pyspark")
    return found


def java() -> str:
    return os.path.join(os.environ["JAVA_HOME"], "bin", "java")


def refused(*options: object, **variables: str) -> str:
    """What a server says that does not start."""
    ended = subprocess.run([BINARY, "serve", "--port", "0", *options], env=dict(os.environ, ORCHESTRA_HOME=str(HOME), **variables), capture_output=True, text=True,
                           timeout=PATIENCE)
    assert ended.returncode > 0, ended
    return ended.stdout + ended.stderr


class Cluster:
    """A master and workers of one core each. `wrap` is a command that becomes a worker."""

    def __init__(self, place: pathlib.Path, workers: int, wrap: tuple[str, ...] = ()):
        self.place = place
        self.home = spark_home()
        self.port = free_port()
        self.defaults = place / "spark-defaults.conf"
        self.defaults.write_text(DEFAULTS)
        self.master = self._start("master", MASTER, "--port", str(self.port))
        eventually(lambda: self._lives(self.master) and answers(self.port), PATIENCE)
        self.workers = [self._start_worker(f"worker-{i}", wrap) for i in range(workers)]
        eventually(lambda: self.log("master").count("Registering worker") == workers, PATIENCE)

    @property
    def url(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    @property
    def options(self) -> tuple[str, ...]:
        """Of a server whose builder is to work on it."""
        return ("--spark", self.url, "--spark-defaults", str(self.defaults))

    def log(self, name: str) -> str:
        return (self.place / f"{name}.log").read_text(errors="replace")

    def _lives(self, process: psutil.Popen) -> bool:
        assert process.poll() is None, self.log("master")
        return True

    def _start_worker(self, name: str, wrap: tuple[str, ...]) -> psutil.Popen:
        return self._start(name, WORKER, self.url, "-c", "1", "-m", f"{EXECUTOR_MEGABYTES}m", "-d", str(self.place / name), wrap=wrap)

    def _start(self, name: str, main: str, *arguments: str, wrap: tuple[str, ...] = ()) -> psutil.Popen:
        line = [*wrap, java(), *LITTLE, "-cp", f"{self.home}/jars/*", main, "--host", "127.0.0.1", "--webui-port", "0", *arguments]
        variables = {"PATH": os.environ["PATH"], "JAVA_HOME": os.environ["JAVA_HOME"], "SPARK_HOME": str(self.home), "SPARK_LOCAL_IP": "127.0.0.1",
                     "SPARK_SCALA_VERSION": "2.13"}  # which a worker finds out only in a whole distribution
        with open(self.place / f"{name}.log", "ab") as log:
            return psutil.Popen(line, cwd=self.place, stdout=log, stderr=log, env=variables)

    def executors(self) -> list[psutil.Process]:
        found = []
        for worker in self.workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [each for each in worker.children(recursive=True) if EXECUTOR in each.cmdline()]
        return found

    def stop(self) -> None:
        left = self.executors()
        for process in (*self.workers, self.master, *left):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs([*self.workers, self.master, *left], 30)


@contextlib.contextmanager
def running_cluster(workers: int = 2, wrap: tuple[str, ...] = ()):
    """One that is stopped at the end."""
    spark_home()
    with tempfile.TemporaryDirectory(prefix="orchestra-spark-") as made, contextlib.ExitStack() as ending:
        cluster = Cluster(pathlib.Path(made), workers, wrap)
        ending.callback(cluster.stop)
        yield cluster


class Endpoint:
    """A Spark Connect server that belongs to somebody else, in one JVM, and wants a token."""

    token = "s3cret/of=the;endpoint"

    def __init__(self, place: pathlib.Path):
        self.port = free_port()
        self.log_path = place / "log"
        (place / "work").mkdir()
        line = [os.environ["ORCHESTRA_SPARK_PYTHON"], "-I", HOME / "runtime/python/orchestra_spark_server.py", "--port", str(self.port), "--work-dir", place / "work", "--cores", "2"]
        variables = {"PATH": os.environ["PATH"], "JAVA_HOME": os.environ["JAVA_HOME"], "LANG": "C.UTF-8", "SPARK_CONNECT_AUTHENTICATE_TOKEN": self.token}
        with open(self.log_path, "ab") as log:
            self.process = psutil.Popen(line, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=variables)
        eventually(self._answers, PATIENCE)

    @property
    def url(self) -> str:
        return f"sc://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log_path.read_text()
        return answers(self.port)

    def running_tasks(self) -> int:
        """Read from the thread dump that a JVM prints when asked by SIGQUIT."""
        known = self.log_path.stat().st_size
        self.process.send_signal(signal.SIGQUIT)
        eventually(lambda: b"Metaspace" in self._log_from(known), PATIENCE)
        return self._log_from(known).count(b'"Executor task launch worker for task')

    def _log_from(self, position: int) -> bytes:
        with self.log_path.open("rb") as log:
            log.seek(position)
            return log.read()

    def stop(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process.kill()
        self.process.wait(30)


@contextlib.contextmanager
def running_endpoint():
    """One that is stopped at the end."""
    spark_home()
    with tempfile.TemporaryDirectory(prefix="orchestra-spark-") as made, contextlib.ExitStack() as ending:
        endpoint = Endpoint(pathlib.Path(made))
        ending.callback(endpoint.stop)
        yield endpoint
