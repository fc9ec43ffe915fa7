"""The text workflow: it runs as its README says, and its numbers are those of a plain script."""

import pytest

import example
from support import Server

STEPS = 14


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The data folder after the example has run in it once, and what that printed."""
    folder = tmp_path_factory.mktemp("imdb") / "data"
    done = example.run("imdb", "--data", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def server(finished):
    with Server(finished[0]) as server:
        yield server


@pytest.fixture(scope="module")
def expected():
    return example.plain("ORCHESTRA_PYTHON", "imdb")


def test_the_example_runs_and_ends_with_a_table_of_results(finished):
    rows = example.table("imdb", finished[1])
    assert len(rows) == STEPS and set(rows.values()) == {("finished", "created")}


def test_accuracy_and_report_equal_those_of_a_plain_script_to_the_last_digit(server, expected):
    assert server.step("imdb_accuracy")["metrics"] == {"accuracy_score": expected["accuracy"]}
    assert expected["accuracy"] >= 0.8
    report = {f"{group}.{name}": value for group, values in expected["report"].items() if group != "accuracy"
              for name, value in values.items()}
    assert server.step("imdb_report")["metrics"] == {**report, "accuracy": expected["accuracy"]}


def test_labels_are_counted(server, expected):
    _, labels = server.get("/explore/histogram/imdb_labels").json()["result"]
    assert {str(each["_id"]): each["count"] for each in labels["label"]} == expected["labels"] == {"0": 500, "1": 500}


def test_confusion_is_a_picture(server):
    assert example.size(server, "/explore/scikitlearn/imdb_confusion") == (960, 720)


def test_the_vectorizer_takes_its_tokenizer_along(server):
    server.function("imdb_stems", "response = vectorizer.tokenizer('tasty tastes')", functionParameters={"vectorizer": "$imdb_vectorizer"})
    assert server.ended("imdb_stems")["status"] == "finished"
    server.function("imdb_words", "print(*stems)\nresponse = None", functionParameters={"stems": "$imdb_stems"})
    assert server.ended("imdb_words")["status"] == "finished"
    assert server.get("/step/imdb_words/log").text == "tasti tast\n"


def test_typed_twice_it_runs_nothing(finished):
    again = example.run("imdb", "--data", finished[0])
    assert again.returncode == 0, again.stdout + again.stderr
    assert set(example.table("imdb", again.stdout).values()) == {("finished", "reused")}
