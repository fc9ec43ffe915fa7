"""Numbers that evaluate and functions give are metrics in the metadata."""

import pytest

from support import unique

Y = {"y_true": [0, 1, 1, 0], "y_pred": [0, 1, 0, 0]}
XY = {"X": [[i] for i in range(12)], "y": [i % 2 for i in range(12)]}


@pytest.mark.parametrize("module, name, parameters, expected", [
    ("sklearn.metrics", "accuracy_score", Y, {"accuracy_score": 0.75}),
    ("sklearn.metrics", "f1_score", Y, {"f1_score": pytest.approx(2 / 3)}),
    ("sklearn.metrics", "classification_report", Y | {"output_dict": True}, {"accuracy": 0.75, "1.recall": 0.5, "macro avg.recall": 0.75}),
    ("sklearn.model_selection", "cross_val_score", XY | {"estimator": "#sklearn.dummy.DummyClassifier()", "cv": 3}, {"cross_val_score": 0.5}),
    ("sklearn.model_selection", "cross_validate", XY | {"estimator": "#sklearn.dummy.DummyClassifier()", "cv": 3}, {"test_score": 0.5}),
])
def test_what_a_callable_of_evaluate_gives(shared, module, name, parameters, expected):
    made = unique()
    step = shared.made("/evaluate/scikitlearn", {"name": made, "modulePath": module, "class": name, "methodParameters": parameters})
    assert {key: step["metrics"].get(key) for key in expected} == expected
    assert shared.get(f"/evaluate/scikitlearn/{made}").json()["result"][0]["metrics"] == step["metrics"]


def test_a_matrix_is_kept_without_metrics(shared):
    name = unique()
    step = shared.made("/evaluate/scikitlearn", {"name": name, "modulePath": "sklearn.metrics", "class": "confusion_matrix",
                                                 "methodParameters": Y})
    assert not step.get("metrics")
    assert shared.value("m.tolist()", m=f"${name}") == [[2, 0], [1, 1]]


@pytest.mark.parametrize("code, expected", [
    ("response = {'metrics': {'f1': 0.5, 'n': 3, 'text': 'no', 'nan': float('nan')}, 'other': 1}", {"f1": 0.5, "n": 3}),
    ("import numpy\nresponse = {'metrics': {'f1': numpy.float32(0.5)}}", {"f1": 0.5}),
])
def test_numbers_under_metrics_of_a_functions_result(shared, code, expected):
    name = unique()
    shared.function(name, code)
    metrics = shared.finished(name)["metrics"]
    assert {key: value for key, value in metrics.items() if value is not None} == expected


def test_metrics_are_those_of_the_newest_result(shared):
    name = unique()
    body = {"name": name, "modulePath": "sklearn.metrics", "class": "accuracy_score", "methodParameters": Y}
    assert shared.made("/evaluate/scikitlearn", body)["metrics"] == {"accuracy_score": 0.75}
    shared.patch(f"/evaluate/scikitlearn/{name}", {"class": "recall_score"})
    assert shared.finished(name)["metrics"] == {"recall_score": 0.5}
