"""The Titanic, end to end with Spark: a script of 2021, and the notebook."""

import os
import pathlib
import subprocess
import sys

import pytest

import notebooks

EXAMPLE = notebooks.EXAMPLES / "titanic"
pytestmark = [pytest.mark.spark, pytest.mark.timeout(400)]


@pytest.fixture
def files(server):
    """URL of the example's tables."""
    support = sys.modules["orchestra_support"]

    def give(request):
        content = (EXAMPLE / pathlib.PurePath(request.path).name).read_bytes()
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    with support.FileServer(give) as files:
        yield files.url


def test_a_script_of_2021_runs_unchanged(server, files):
    arguments = [server.url, f"{files}/titanic_train.csv", f"{files}/titanic_test.csv", EXAMPLE / "modeling.py"]
    done = subprocess.run([sys.executable, notebooks.HERE / "titanic_script.py", *arguments], capture_output=True, text=True, timeout=300,
                          env=dict(os.environ, PYTHONPATH=str(notebooks.SOURCE)))
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("histogram", "classifier", "deleted", "refused"))]
    assert lines[0] == "histogram {'male': 577, 'female': 314}"
    assert lines[1:4] == [f"classifier old_testing_projection{name} True True 3" for name in ("LR", "DT", "NB")]
    assert lines[4].startswith("deleted {'result': 'deleted file'")
    assert lines[5] == "refused {}" and "old_training" in done.stderr
    assert '"datasetName": "old_training"' in done.stdout


def test_the_notebook_runs_and_first_deletes_what_an_earlier_run_left(server, client, monkeypatch):
    mine = {"notebook": "titanic"}
    left = client.dataset.csv("notebook_train", b"a\n1\n", labels=mine)
    client.transform.projection("notebook_train_kept", left, ["a"], labels=mine).wait(60)
    shown = notebooks.run("titanic", server, monkeypatch)
    for part in ("<b>notebook_train_kept</b>", "notebook_titanicLR", "<th>prediction</th>", "KeyError: 'Deck'"):
        assert part in shown.text
    assert "notebook_titanicLR: " in shown.text, "progress is shown"
