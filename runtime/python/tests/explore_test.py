"""explore/scikitlearn and explore/tensorflow, in real steps."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import Ended, ForkServer
from tool_steps import run


def explore(tool: str = "scikitlearn", **request: Any) -> dict[str, Any]:
    return {"name": "f", "operation": f"explore/{tool}", "request": {"name": "f"} | request}


def picture(ended: Ended) -> np.ndarray:
    manifest = ended.finished()["manifest"]
    assert manifest == {"kind": "blob", "typeName": "image/png", "parts": [{"name": "content"}]}
    return np.asarray(Image.open(io.BytesIO((ended.staging() / "content").read_bytes())).convert("RGB"))


@pytest.fixture(scope="module")
def stored(scientific: ForkServer) -> dict[str, dict[str, Any]]:
    code = ("import numpy as np\nfrom sklearn.decomposition import PCA\nrandom = np.random.default_rng(0)\n"
            "x = random.normal(size=(100, 5)) + np.repeat([[0], [9]], 50, axis=0)\n"
            "response = {'x': x, 'y': np.repeat(['a', 'b'], 50)}")
    data = scientific.run(code).as_input()
    fitted = scientific.run("from sklearn.decomposition import PCA\nresponse = PCA(2).fit(x)", {"x": "$data.x"}, inputs={"data": data})
    return {"data": data, "pca": fitted.as_input()}


def test_class_form(scientific: ForkServer, stored: dict[str, Any]) -> None:
    request = {"modulePath": "sklearn.decomposition", "class": "PCA", "classParameters": {"n_components": 2},
               "method": "fit_transform", "methodParameters": {"X": "$data.x"}}
    ended = scientific.start(explore(**request), inputs=stored).ended()
    plain = picture(ended)
    assert plain.shape == (720, 960, 3) and len(np.unique(plain.reshape(-1, 3), axis=0)) > 50
    assert ended.finished()["facts"] == {"class": "PCA", "method": "fit_transform", "typeName": "numpy.ndarray"}
    coloured = picture(scientific.start(explore(**request, hue="$data.y"), inputs=stored).ended())
    assert (coloured != plain).any()


def test_instance_form(scientific: ForkServer, stored: dict[str, Any]) -> None:
    request = {"parentName": "pca", "line": ["pca", "data"], "method": "transform", "methodParameters": {"X": "$data.x"}}
    ended = scientific.start(explore(**request, figure={"width": 4, "height": 3, "dpi": 100}), inputs=stored).ended()
    assert picture(ended).shape == (300, 400, 3)
    assert ended.finished()["facts"] == {"class": "PCA", "method": "transform", "typeName": "numpy.ndarray"}


def test_displays_and_what_pyplot_draws(scientific: ForkServer) -> None:
    predictions = {"y_true": [0, 1, 0, 1], "y_pred": [0, 1, 1, 1]}
    made = scientific.start(explore(modulePath="sklearn.metrics", **{"class": "ConfusionMatrixDisplay"}, method="from_predictions",
                                    methodParameters=predictions, figure={"width": 4, "dpi": 50})).ended()
    assert picture(made).shape == (240, 200, 3)
    assert made.finished()["facts"]["class"] == "ConfusionMatrixDisplay"
    tree = scientific.start(explore(modulePath="sklearn.tree", **{"class": "plot_tree"}, methodParameters={
        "decision_tree": "#sklearn.tree.DecisionTreeClassifier().fit([[0], [1]], [0, 1])"})).ended()
    assert (picture(tree) < 128).any()


def test_a_function_is_a_call_of_its_own(scientific: ForkServer) -> None:
    request = {"modulePath": "sklearn.metrics", "class": "confusion_matrix", "methodParameters": {"y_true": [0, 1], "y_pred": [0, 1]}}
    ended = scientific.start(explore(**request)).ended()
    assert len(np.unique(picture(ended))) > 10
    assert ended.finished()["facts"] == {"class": "confusion_matrix", "typeName": "numpy.ndarray"}


def test_notes_are_facts(scientific: ForkServer) -> None:
    request = {"modulePath": "sklearn.datasets", "class": "make_moons", "methodParameters": {"n_samples": 60_000}}
    ended = scientific.start(explore(**request)).ended()
    assert ended.finished()["facts"]["notes"] == ["50000 of 60000 points are drawn, chosen at random"]


@pytest.mark.parametrize(("request_", "said"), [
    ({"class": "load_iris"}, "NotDrawable: a value of type sklearn.utils._bunch.Bunch cannot be drawn"),
    ({"class": "make_moons", "figure": {"dpi": 5}}, "BadRequest: figure.dpi: 5 is not a number from 30 to 600"),
    ({"class": "make_moons", "hue": "$nothing"}, "BadParameter: hue: '$nothing': 'nothing' is not among the inputs"),
    ({"class": "no_such"}, "BadRequest: class: module 'sklearn.datasets' has no 'no_such'"),
])
def test_failures_name_their_cause(scientific: ForkServer, request_: dict[str, Any], said: str) -> None:
    ended = scientific.start(explore(modulePath="sklearn.datasets", **request_)).ended()
    assert ended.failed()["exception"].startswith(said)
    assert not (ended.staging() / "content").exists()


@pytest.mark.skipif(find_spec("keras") is None, reason="needs Keras")
def test_tensorflow(scientific: ForkServer) -> None:
    request = {"modulePath": "tensorflow.keras.utils", "class": "array_to_img", "methodParameters": {"x": "#numpy.ones((6, 8, 3))"}}
    ended = scientific.start(explore("tensorflow", **request)).ended()
    assert picture(ended).shape == (6, 8, 3)
    assert ended.finished()["facts"]["typeName"] == "PIL.Image.Image"


def test_a_stored_value_is_drawn_as_it_is(scientific: ForkServer) -> None:
    stored = scientific.run("response = {'loss': [3.0, 2.0, 1.0], 'accuracy': [0.1, 0.5, 0.9]}")
    drawn = run(scientific, "explore/scikitlearn", {"parentName": "history", "line": ["history"]}, {"history": stored})
    assert drawn.finished()["manifest"]["typeName"] == "image/png"
    assert drawn.finished()["facts"]["typeName"] == "dict"
