"""Builder steps in real forked steps on a real Spark server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="needs the environment of kind spark")
pytestmark = pytest.mark.spark

from conftest import ForkServer, Running  # noqa: E402
from pyarrow import compute, csv, parquet  # noqa: E402
import pyarrow as pa  # noqa: E402
from spark_server import PATIENCE, SparkServer, wait_until  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "titanic"
ALL = ("LR", "DT", "GB", "RF", "NB")
LEAST_ACCURACY = {"LR": 0.76, "DT": 0.76, "GB": 0.76, "RF": 0.76, "NB": 0.58}
NUMBERS = {"PassengerId", "Survived", "Pclass", "Age", "SibSp", "Parch", "Fare"}
COLUMNS = ["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]

SMALL = """
from pyspark.ml.feature import VectorAssembler
assembler = VectorAssembler(inputCols=["SibSp", "Parch"], outputCol="features")
features_training = assembler.transform(training_df).withColumnRenamed("Survived", "label")
features_evaluation = None
features_testing = assembler.transform(testing_df).select("PassengerId", "features")
"""
ENDLESS = SMALL + "features_training = features_training.crossJoin(spark.range(10**12).select()).where('label < 5')\n"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkServer]:
    server = SparkServer(tmp_path_factory.mktemp("spark"))
    server.wait_until_ready()
    yield server
    server.process.terminate()
    server.process.wait(PATIENCE)


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    server = ForkServer("spark", folder=tmp_path_factory.mktemp("workers"))
    assert server.ready()["threads"] == 1
    yield server
    assert server.close() == 0, server.errors.read_text()


def test_what_the_fork_server_loads_starts_no_thread() -> None:
    code = ("import importlib, os, sys; sys.path.insert(0, sys.argv[1]); from orchestra_runtime import spark_preload;"
            "[importlib.import_module(each) for each in spark_preload.MODULES]; print(len(os.listdir('/proc/self/task')))")
    environment = {"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
    ended = subprocess.run([sys.executable, "-I", "-c", code, str(ROOT / "runtime" / "python")], env=environment, capture_output=True,
                           text=True, timeout=PATIENCE)
    assert (ended.stdout, ended.stderr) == ("1\n", "")


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The typed tables of the example as the store keeps them: read-only files without an ending, somewhere below odd names."""
    folder = tmp_path_factory.mktemp("store") / "data=1 {a,b} [c]* %20"
    folder.mkdir()
    found = {}
    for name in ("train", "test"):
        parquet.write_table(_typed(EXAMPLE / f"titanic_{name}.csv"), folder / f"0a{name}", compression="zstd")
        (folder / f"0a{name}").chmod(0o400)
        found[name] = folder / f"0a{name}"
    return found


def _typed(path: Path) -> pa.Table:
    texts = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()))
    table = csv.read_csv(path, convert_options=texts)
    names = [name for name in COLUMNS if name in table.column_names]
    columns = [compute.if_else(compute.equal(table[name], ""), None, table[name]).cast(pa.float64()) if name in NUMBERS else table[name]
               for name in names]
    return pa.table(columns, names=names)


class Builder:
    """Starts builder jobs on the example's tables."""

    def __init__(self, workers: ForkServer, spark: SparkServer, tables: dict[str, Path]) -> None:
        self._workers, self._spark, self._tables = workers, spark, tables

    def start(self, code: str, *classifiers: str, **spark: str) -> Running:
        members = [{"name": f"titanic{each}", "operation": "builder/sparkml",
                    "request": {"trainDatasetName": "train", "testDatasetName": "test@2", "modelingCode": code, "classifier": each}}
                   for each in classifiers]
        inputs = {name: {"kind": "table", "parts": {"rows.parquet": str(path)}}
                  for name, path in (("train", self._tables["train"]), ("test@2", self._tables["test"]))}
        return self._workers.start(*members, inputs=inputs, spark=self._spark.session() | spark)

    def run(self, code: str, *classifiers: str, **spark: str) -> Any:
        return self.start(code, *classifiers, **spark).ended()

    def release(self, session: dict[str, Any]) -> Any:
        member = {"name": "spark-release", "operation": "internal/spark-release", "request": {}}
        return self._workers.start(member, spark=session).ended()


@pytest.fixture
def builder(workers: ForkServer, spark: SparkServer, tables: dict[str, Path]) -> Builder:
    return Builder(workers, spark, tables)


def _session_of(job: Running) -> dict[str, Any]:
    return json.loads((job.folder / "step.json").read_text())["spark"]


def _until_phase(job: Running, member: str, phase: str) -> None:
    while (message := job.until("progress"))["member"] != member or message["data"] != {"phase": phase}:
        pass


def test_titanic_is_what_plain_pyspark_makes_of_it(builder: Builder, tables: dict[str, Path], tmp_path: Path) -> None:
    ended = builder.run((EXAMPLE / "modeling.py").read_text(), *ALL)
    for name, expected in _plain(tables, tmp_path).items():
        result = ended.finished(f"titanic{name}")
        facts, manifest = result["facts"], result["manifest"]
        assert {key: facts[key] for key in ("F1", "accuracy")} == {key: expected[key] for key in ("F1", "accuracy")}, name
        assert facts["metrics"] == {key: float(facts[key]) for key in ("F1", "accuracy")}
        assert facts["metrics"]["accuracy"] >= LEAST_ACCURACY[name]
        assert manifest["rows"] == expected["predictions"] == 417
        assert all(facts[key] > 0 for key in ("fitTime", "validationTime", "testTime"))
    assert ended.output == ""


def _plain(tables: dict[str, Path], folder: Path) -> dict[str, Any]:
    for name, path in tables.items():
        (folder / name).symlink_to(path)  # a plain script takes odd names for patterns
    ended = subprocess.run([sys.executable, str(ROOT / "bench" / "titanic_plain.py"), "--parquet", str(folder / "train"), str(folder / "test")],
                           capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)["classifiers"]


def test_a_member_leaves_predictions_and_its_model(builder: Builder, tables: dict[str, Path]) -> None:
    ended = builder.run(SMALL, "NB")
    manifest = ended.finished("titanicNB")["manifest"]
    assert (manifest["kind"], manifest["typeName"]) == ("model", "pyspark.ml.classification.NaiveBayesModel")
    assert manifest["parts"] == [{"name": "rows.parquet"}, {"name": "model.zip"}]
    assert manifest["fields"] == [{"name": "PassengerId", "type": "number"}, {"name": "probability", "type": "list"},
                                  {"name": "prediction", "type": "number"}]
    rows = parquet.read_table(ended.staging("titanicNB") / "rows.parquet")
    assert rows["PassengerId"] == parquet.read_table(tables["test"])["PassengerId"]  # in the order of the data
    assert all(abs(sum(each) - 1) < 1e-9 for each in rows["probability"].to_pylist())
    with zipfile.ZipFile(ended.staging("titanicNB") / "model.zip") as model:
        assert model.testzip() is None
        assert {name.partition("/")[0] for name in model.namelist()} == {"metadata", "data"}
    assert sorted(path.name for path in ended.staging("titanicNB").iterdir()) == ["model.zip", "result.json", "rows.parquet"]


def test_without_evaluation_there_are_no_metrics(builder: Builder) -> None:
    facts = builder.run(SMALL, "LR").finished("titanicLR")["facts"]
    assert facts.keys() == {"classifier", "fitTime", "testTime"}


def test_errors_of_spark_are_told_in_spark_s_words_alone(builder: Builder) -> None:
    ended = builder.run("spark.sql('select nothing from range(3)').collect()\n", "NB")
    failed = ended.failed("titanicNB")
    assert failed["exception"].startswith("pyspark.errors.exceptions.connect.AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION]")
    assert "org.apache.spark" not in failed["traceback"]
    assert 'File "<modelingCode>", line 1' in failed["traceback"]
    assert ended.output == ""


def test_modeling_code_that_raises_fails_all_with_its_line(builder: Builder) -> None:
    ended = builder.run("import math\n\n\ndef f():\n    return math.sqrt(-1)\n\n\nf()\n", "LR", "NB")
    for member in ("titanicLR", "titanicNB"):
        failed = ended.failed(member)
        assert failed["exception"] == "ValueError: math domain error"
        assert 'File "<modelingCode>", line 5, in f' in failed["traceback"]
        assert "spark_builder" not in failed["traceback"]


@pytest.mark.parametrize(("code", "why"), [
    ("features_training = training_df", "never set `features_evaluation`, `features_testing`"),
    (SMALL + "features_testing = 7", "left a int as `features_testing`; it must be a Spark DataFrame"),
    (SMALL + "features_evaluation = 7", "left a int as `features_evaluation`; it must be a Spark DataFrame or None"),
    (SMALL + "features_training = training_df", "`features_training` has no column `features`, `label`; it has `PassengerId`"),
    (SMALL + "features_training = training_df.select('Nothing')", "UNRESOLVED_COLUMN"),
])
def test_what_modeling_code_does_not_leave_is_named(builder: Builder, code: str, why: str) -> None:
    assert why in builder.run(code, "NB").failed("titanicNB")["exception"]


def test_one_that_fails_leaves_the_others_alone(builder: Builder) -> None:
    negative = SMALL + "features_training = VectorAssembler(inputCols=['SibSp', 'minus'], outputCol='features').transform(" \
                       "training_df.selectExpr('-Age as minus', 'SibSp', 'Survived as label').na.drop())\n"
    ended = builder.run(negative, "NB", "DT")
    assert "must not be negative" in ended.failed("titanicNB")["exception"].lower()
    ended.finished("titanicDT")


def test_stop_member_ends_that_one_alone(builder: Builder) -> None:
    job = builder.start((EXAMPLE / "modeling.py").read_text(), "GB", "NB")
    _until_phase(job, "titanicGB", "fitting")
    job.channel.send({"type": "stop_member", "member": "titanicGB"})
    ended = job.ended()
    assert ended.result("titanicGB")["status"] == "failed"
    ended.finished("titanicNB")


def test_stop_member_ends_the_only_one_in_an_endless_operation(builder: Builder, spark: SparkServer) -> None:
    job = builder.start(ENDLESS, "DT")
    _until_phase(job, "titanicDT", "fitting")
    wait_until(lambda: spark.running_tasks() > 0, "the fit runs")
    job.channel.send({"type": "stop_member", "member": "titanicDT"})
    assert job.ended().result("titanicDT")["status"] == "failed"
    wait_until(lambda: spark.running_tasks() == 0, "nothing runs")


def test_stopping_all_ends_modeling_code(builder: Builder) -> None:
    job = builder.start("print('here')\nwhile True:\n    spark.range(3).count()\n", "LR", "NB")
    _until_phase(job, "titanicNB", "modeling")
    for member in ("titanicLR", "titanicNB"):
        job.channel.send({"type": "stop_member", "member": member})
    ended = job.ended()
    assert ended.failed("titanicLR")["exception"].startswith("Stopped")
    assert ended.failed("titanicNB")["exception"].startswith("Stopped")


def test_release_ends_what_a_killed_step_left_running(builder: Builder, spark: SparkServer) -> None:
    job = builder.start(ENDLESS, "DT")
    step = job.until("started")["step"]
    _until_phase(job, "titanicDT", "fitting")
    wait_until(lambda: spark.running_tasks() > 0, "the fit runs")
    os.kill(step, signal.SIGKILL)
    assert job.ended().exited["signal"] == signal.SIGKILL
    session = _session_of(job)
    for _ in range(2):  # the second time there is no such session any more
        builder.release(session).finished("spark-release")
    wait_until(lambda: spark.running_tasks() == 0, "nothing runs")
    assert "SESSION_CLOSED" in builder.run(SMALL, "NB", session=session["session"]).failed("titanicNB")["exception"]


@pytest.mark.parametrize(("given", "why"), [
    ({"url": "sc://127.0.0.1:9"}, "does not answer"),
    ({"token": "wrong"}, "refuses the secret"),
])
def test_a_server_that_cannot_be_used_is_said_to_be_so(builder: Builder, given: dict[str, str], why: str) -> None:
    failed = builder.run(SMALL, "NB", **given).failed("titanicNB")
    assert failed["exception"].startswith("SparkUnavailable: the Spark server ") and why in failed["exception"]


def test_the_death_of_the_server_fails_the_step(workers: ForkServer, tables: dict[str, Path], tmp_path: Path) -> None:
    server = SparkServer(tmp_path)
    server.wait_until_ready()
    job = Builder(workers, server, tables).start(ENDLESS, "DT")
    _until_phase(job, "titanicDT", "fitting")
    server.process.kill()
    server.process.wait(PATIENCE)
    assert "the Spark server does not answer" in job.ended().failed("titanicDT")["exception"]
