"""The service tune, in real steps: what searches keep and tell."""

from __future__ import annotations

import pyarrow.parquet as parquet
import pytest

from conftest import Ended, ForkServer
from tool_steps import DATA, on, run, shown, start

pytest.importorskip("sklearn")
XY = {"X": "$data.x", "y": "$data.y"}
LOGISTIC = "#sklearn.linear_model.LogisticRegression()"


@pytest.fixture(scope="module")
def data(scientific: ForkServer) -> Ended:
    return scientific.run(DATA)


@pytest.mark.parametrize(("name", "parameters", "trials"), [
    ("GridSearchCV", {"param_grid": {"C": [0.1, 1, 10]}}, 3),
    ("RandomizedSearchCV", {"param_distributions": {"C": "#scipy.stats.uniform(0.1, 10)"}, "n_iter": 4, "random_state": 0}, 4),
    ("HalvingGridSearchCV", {"param_grid": {"C": [0.1, 1, 10]}, "min_resources": 20, "random_state": 0}, 4),
])
def test_searches_of_scikit_learn(scientific: ForkServer, data: Ended, name: str, parameters: dict[str, object],
                                  trials: int) -> None:
    request = {"modulePath": "sklearn.model_selection", "class": name, "method": "fit", "methodParameters": XY,
               "classParameters": parameters | {"estimator": LOGISTIC, "cv": 3}}
    ended = run(scientific, "tune/scikitlearn", request, {"data": data})
    facts, manifest = ended.finished()["facts"], ended.finished()["manifest"]
    assert (facts["class"], facts["method"]) == (name, "fit") and facts["fitTime"] > 0
    assert facts["bestParameters"].keys() == {"C"} and 0.5 < facts["bestScore"] <= 1
    rows = parquet.read_table(ended.staging() / "rows.parquet")
    assert rows.num_rows == manifest["rows"] == trials
    assert {"param_C", "mean_test_score", "rank_test_score"} <= {field["name"] for field in manifest["fields"]}
    assert shown(scientific, "print(s.predict(d['x'][:2]).shape)", s=ended, d=data) == "(2,)"


def test_a_stored_search_is_fitted_and_itself_left_as_it_is(scientific: ForkServer, data: Ended) -> None:
    grid = [{"kernel": ["linear"]}, {"kernel": ["rbf"], "gamma": ["scale", 0.5]}]
    search = {"modulePath": "sklearn.model_selection", "class": "GridSearchCV",
              "classParameters": {"estimator": "#sklearn.svm.SVC()", "param_grid": grid, "cv": 2}}
    made = run(scientific, "model/scikitlearn", search)
    tuned = run(scientific, "tune/scikitlearn", on(["made"], "fit", XY), {"made": made, "data": data})
    rows = parquet.read_table(tuned.staging() / "rows.parquet")
    assert rows.column("param_gamma").to_pylist() == [None, "scale", "0.5"]
    assert tuned.finished()["facts"]["notes"] == ["column 'param_gamma' mixes types: stored as text"]
    assert shown(scientific, "print(hasattr(m, 'best_score_'))", m=made) == "False"
    inputs = {"tuned": tuned, "made": made, "data": data}
    predicted = run(scientific, "predict/scikitlearn", on(["tuned", "made"], "predict", {"X": "$data.x"}), inputs)
    assert predicted.finished()["facts"]["class"] == "GridSearchCV"


def test_candidates_that_are_instances_are_told_by_their_texts(scientific: ForkServer, data: Ended) -> None:
    request = {"modulePath": "sklearn.model_selection", "class": "GridSearchCV", "method": "fit", "methodParameters": XY}
    request["classParameters"] = {
        "estimator": "#sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), sklearn.svm.SVC())",
        "param_grid": {"svc": "#[sklearn.svm.SVC(C=c) for c in (1, 2)]"}, "cv": 2}
    facts = run(scientific, "tune/scikitlearn", request, {"data": data}).finished()["facts"]
    assert facts["bestParameters"]["svc"].startswith("SVC(C=")


def test_what_is_no_search_is_kept_without_trials(scientific: ForkServer, data: Ended) -> None:
    request = {"modulePath": "sklearn.model_selection", "class": "cross_validate",
               "methodParameters": XY | {"estimator": LOGISTIC, "cv": 3}}
    result = run(scientific, "tune/scikitlearn", request, {"data": data}).finished()
    assert result["manifest"]["typeName"] == "dict" and "rows" not in result["manifest"] and "bestScore" not in result["facts"]


BAYESIAN = {"modulePath": "orchestra.tuning", "class": "BayesianSearchCV", "method": "fit", "methodParameters": XY}


def _bayesian(**parameters: object) -> dict[str, object]:
    return BAYESIAN | {"classParameters": {"estimator": LOGISTIC, "cv": 3, "seed": 1} | parameters}


def test_bayesian_search_tells_each_trial(scientific: ForkServer, data: Ended) -> None:
    pytest.importorskip("optuna")
    space = {"C": {"low": 0.01, "high": 100.0, "log": True}, "max_iter": {"low": 50, "high": 200},
             "class_weight": [None, "balanced"]}
    job = start(scientific, "tune/scikitlearn", _bayesian(space=space, n_trials=5), inputs={"data": data.as_input()})
    ended = job.ended()
    facts = ended.finished()["facts"]
    told = [message["data"] for message in job.messages if message["type"] == "progress"]
    assert [(each["phase"], each["trial"], each["trials"]) for each in told] == [("tuning", trial, 5) for trial in range(1, 6)]
    assert max(each["score"] for each in told) == facts["bestScore"] > 0.5
    assert isinstance(facts["bestParameters"]["max_iter"], int) and 0.01 <= facts["bestParameters"]["C"] <= 100
    assert parquet.read_table(ended.staging() / "rows.parquet").num_rows == 5
    predicted = run(scientific, "predict/scikitlearn", on(["s"], "predict", {"X": "$data.x"}), {"s": ended, "data": data})
    assert predicted.finished()["facts"]["class"] == "BayesianSearchCV"


def test_bayesian_search_is_repeatable(scientific: ForkServer, data: Ended) -> None:
    pytest.importorskip("optuna")
    request = _bayesian(space={"C": "#optuna.distributions.FloatDistribution(0.1, 10)"}, n_trials=3)
    first, second = (run(scientific, "tune/scikitlearn", request, {"data": data}).finished()["facts"] for _ in range(2))
    assert first["bestParameters"] == second["bestParameters"]


def test_a_space_that_is_none_is_named(scientific: ForkServer, data: Ended) -> None:
    pytest.importorskip("optuna")
    failed = run(scientific, "tune/scikitlearn", _bayesian(space={"C": 3}), {"data": data}).failed()
    assert failed["exception"] == "ValueError: space.C: a list of choices, or a dict with 'low' and 'high', not 3"
