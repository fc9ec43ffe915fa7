"""The image workflow: it runs as its README says, and its numbers are those of a plain script."""

import os
import shutil
import subprocess

import pytest

import example
from support import HOME, Server

STEPS = 15


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The data folder after the example has run in it once, and what that printed."""
    folder = tmp_path_factory.mktemp("mnist") / "data"
    done = example.run("mnist", "--data", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def server(finished):
    with Server(finished[0]) as server:
        yield server


@pytest.fixture(scope="module")
def expected():
    return example.plain("ORCHESTRA_TENSORFLOW_PYTHON", "mnist")


def test_the_example_runs_and_ends_with_a_table_of_results(finished):
    rows = example.table("mnist", finished[1])
    assert len(rows) == STEPS and set(rows.values()) == {("finished", "created")}


def test_loss_and_accuracy_equal_those_of_a_plain_script_to_the_last_digit(server, expected):
    assert server.step("mnist_evaluated")["metrics"] == {"loss": expected["loss"], "accuracy": expected["accuracy"]}
    assert expected["accuracy"] >= 0.85


def test_the_history_equals_that_of_a_plain_script_epoch_by_epoch(server, expected):
    rows = server.rows("mnist_history")
    assert len(rows) == 6
    assert {name: [row[name] for row in rows] for name in expected["history"]} == expected["history"]


def test_predictions_equal_those_of_a_plain_script(server, expected):
    server.function("mnist_digits", "print(digits.tolist())\nresponse = None", functionParameters={"digits": "$mnist_predicted"})
    assert server.ended("mnist_digits")["status"] == "finished"
    assert server.get("/step/mnist_digits/log").text == f"{expected['predicted']}\n"


def test_curves_and_confusion_are_pictures(server):
    assert all(side > 400 for side in example.size(server, "/explore/scikitlearn/mnist_curves"))
    assert example.size(server, "/explore/scikitlearn/mnist_confusion") == (960, 720)


def test_the_script_writes_the_files_that_the_example_has(tmp_path):
    folder = HOME / "examples" / "mnist"
    shutil.copy(folder / "make_digits.py", tmp_path)
    subprocess.run([os.environ["ORCHESTRA_PYTHON"], tmp_path / "make_digits.py"], check=True, timeout=60)
    files = sorted(folder.glob("*.gz"))
    assert len(files) == 4
    assert [(tmp_path / file.name).read_bytes() for file in files] == [file.read_bytes() for file in files]


def test_typed_twice_it_runs_nothing(finished):
    again = example.run("mnist", "--data", finished[0])
    assert again.returncode == 0, again.stdout + again.stderr
    assert set(example.table("mnist", again.stdout).values()) == {("finished", "reused")}
