"""The built server under test, started once per session for tests that share it, or anew for those that kill it."""

import pathlib
import sqlite3

import pytest

import postgres as databases
from support import Server, unique


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; run by ./orchestra test long")
    config.addinivalue_line("markers", "spark: starts a Spark server")


def pytest_terminal_summary(terminalreporter):
    """What tests have measured, for whoever reads: record_property("report", text)."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "report" and report.when == "call":
                terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One server for all tests that only use it. Each takes names of its own."""
    folder = tmp_path_factory.mktemp("shared")
    sqlite3.connect(folder / "sample.db").close()
    (folder / "connections.yaml").write_text(f"sample: sqlite:///{folder}/sample.db\n")
    with Server(folder / "data", "--connections", str(folder / "connections.yaml")) as server:
        yield server


@pytest.fixture
def fresh(tmp_path):
    """A server of the test's own."""
    with Server(tmp_path / "data") as server:
        yield server


@pytest.fixture
def titanic():
    return pathlib.Path(__file__).resolve().parent.parent / "examples" / "titanic"


@pytest.fixture(scope="module")
def postgres():
    """A PostgreSQL of the module's own; its tests are skipped where there is none to start."""
    with databases.running() as server:
        yield server


@pytest.fixture
def database(postgres):
    """The name of an empty one in it."""
    name = unique("database")
    postgres.sql(f"CREATE DATABASE {name}")
    return name
