"""Searches over parameters: what they keep, tell and show."""

import pytest

from support import unique

DATA = "from sklearn.datasets import load_iris\nd = load_iris()\nresponse = {'x': d.data, 'y': d.target}"
LOGISTIC = "#sklearn.linear_model.LogisticRegression(max_iter=300)"


@pytest.fixture(scope="module")
def data(shared):
    name = unique("iris")
    shared.function(name, DATA)
    shared.finished(name)
    return name


def searched(server, data, module, kind, parameters):
    name = unique()
    return server.made("/tune/scikitlearn", {
        "name": name, "modulePath": module, "class": kind, "classParameters": {"estimator": LOGISTIC, "cv": 3} | parameters,
        "method": "fit", "methodParameters": {"X": f"${data}.x", "y": f"${data}.y"}})


@pytest.mark.parametrize("kind, parameters, trials", [
    ("GridSearchCV", {"param_grid": {"C": [0.001, 1, 10]}}, 3),
    ("RandomizedSearchCV", {"param_distributions": {"C": "#scipy.stats.uniform(0.1, 10)"}, "n_iter": 4, "random_state": 0}, 4),
    ("HalvingGridSearchCV", {"param_grid": {"C": [0.1, 1, 10]}, "min_resources": 40, "random_state": 0}, 4),
    ("BayesianSearchCV", {"space": {"C": {"low": 0.01, "high": 100.0, "log": True}}, "n_trials": 3, "seed": 1}, 3),
])
def test_a_search_keeps_its_best_and_its_trials(shared, data, kind, parameters, trials):
    module = "orchestra.tuning" if kind.startswith("Bayesian") else "sklearn.model_selection"
    step = searched(shared, data, module, kind, parameters)
    assert (step["class"], step["method"]) == (kind, "fit") and step["fitTime"] > 0
    assert step["bestParameters"].keys() == {"C"} and 0.8 < step["bestScore"] <= 1
    rows = shared.rows(step["name"])
    assert [row["_id"] for row in rows] == list(range(1, trials + 1))
    assert {"param_C", "mean_test_score", "rank_test_score"} <= rows[0].keys()
    best = min(rows, key=lambda row: row["rank_test_score"])
    if kind != "HalvingGridSearchCV":  # whose best must be of the last round
        assert (best["param_C"], best["mean_test_score"]) == (step["bestParameters"]["C"], step["bestScore"])
    predicted = unique()
    shared.made("/predict/scikitlearn", {"name": predicted, "parentName": step["name"], "method": "predict",
                                         "methodParameters": {"X": f"${data}.x"}})
    assert shared.value("len(p)", p=f"${predicted}") == 150


def test_trials_are_rows_with_fields(shared, data):
    step = searched(shared, data, "sklearn.model_selection", "GridSearchCV", {"param_grid": {"C": [0.001, 1, 10]}})
    assert [row["_id"] for row in shared.rows(step["name"], query='{"param_C": {"$gte": 1}}')] == [2, 3]
    assert (step["rows"], {"param_C", "mean_test_score"} <= set(step["fields"])) == (3, True)


def test_bayesian_trials_are_told_as_they_end(shared, data):
    name = unique()
    shared.post("/tune/scikitlearn", {
        "name": name, "modulePath": "orchestra.tuning", "class": "BayesianSearchCV", "method": "fit",
        "classParameters": {"estimator": LOGISTIC, "cv": 2, "space": {"C": [0.1, 1.0]}, "n_trials": 3, "seed": 0},
        "methodParameters": {"X": f"${data}.x", "y": f"${data}.y"}})
    shared.progress_until(name, lambda told: (told["phase"], told["trial"], told["trials"]) == ("tuning", 3, 3) and told["score"] > 0.8)
    assert shared.finished(name)["bestParameters"]["C"] in (0.1, 1.0)


BUILD = """
def build(trial):
  import keras
  keras.utils.set_random_seed(1)
  model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(trial.suggest_int("units", 4, 16)), keras.layers.Dense(3, "softmax")])
  model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
  return model
response = build
"""


def test_a_function_that_builds_networks_is_searched(shared, data):
    build, name, predicted = unique("build"), unique(), unique()
    shared.function(build, BUILD)
    step = shared.made("/tune/tensorflow", {
        "name": name, "modulePath": "orchestra.tuning", "class": "BayesianModelSearch", "method": "fit",
        "classParameters": {"build": f"${build}", "n_trials": 2, "seed": 0},
        "methodParameters": {"x": f"${data}.x", "y": f"${data}.y", "epochs": 1, "validation_split": 0.2}})
    assert 4 <= step["bestParameters"]["units"] <= 16 and step["bestScore"] > 0
    rows = shared.rows(name)
    assert len(rows) == 2 and step["bestParameters"]["units"] in {value for row in rows for value in row.values()}
    shared.made("/predict/tensorflow", {"name": predicted, "parentName": name, "method": "predict",
                                        "methodParameters": {"x": f"${data}.x"}})
    assert shared.value("list(p.shape)", p=f"${predicted}") == [150, 3]


def test_a_search_that_cannot_be_fitted_fails_with_the_users_error(shared, data):
    name = unique()
    shared.post("/tune/scikitlearn", {
        "name": name, "modulePath": "sklearn.model_selection", "class": "GridSearchCV", "method": "fit",
        "classParameters": {"estimator": LOGISTIC, "param_grid": {"nothing": [1]}},
        "methodParameters": {"X": f"${data}.x", "y": f"${data}.y"}})
    step = shared.ended(name)
    assert step["status"] == "failed" and "nothing" in step["exception"]
    execution = shared.get(f"/tune/scikitlearn/{name}").json()["result"][-1]
    assert execution["exception"].startswith("Traceback") and "nothing" in execution["exception"]
