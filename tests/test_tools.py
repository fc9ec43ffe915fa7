"""Every service of the two tools, in both forms of body, with each of its verbs. All steps are posted at once, each after what it is made from."""

import dataclasses

import pytest

from support import PREFIX, unique

FITTED = {"X": "$DATA.x", "y": "$DATA.y"}
GRID = {"estimator": "#sklearn.linear_model.LogisticRegression()", "param_grid": {"C": [0.1, 1]}, "cv": 2}
LAYERS = ["#tensorflow.keras.layers.Input((2,))", "#tensorflow.keras.layers.Dense(2, activation='softmax')"]
COMPILED = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
EPOCH = {"x": "$DATA.x", "y": "$DATA.y", "epochs": 1}
SEARCH = {"build": "$DATA.build", "n_trials": 1, "seed": 1, "objective": "loss"}
DATA = """
import numpy
x = numpy.random.RandomState(0).rand(32, 2)
def build(trial):
  import keras
  model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(trial.suggest_int("units", 2, 4))])
  model.compile(loss="sparse_categorical_crossentropy")
  return model
response = {"x": x, "y": (x.sum(axis=1) > 1).astype(int), "build": build}
"""


@dataclasses.dataclass(frozen=True)
class Case:
    key: str
    path: str  # service/tool
    body: dict  # names of other cases in capitals
    facts: dict = dataclasses.field(default_factory=dict)  # that its metadata must have


def new(module, name, parameters=None, **more):
    """The body of the server of 2021."""
    return {"modulePath": module, "class": name} | ({"classParameters": parameters} if parameters is not None else {}) | more


def on(parent, method, parameters=None, **more):
    """The body of the client of 2021."""
    return {"parentName": parent, "method": method, "methodParameters": parameters or {}} | more


CASES = [
    Case("MODEL", "model/scikitlearn", new("sklearn.linear_model", "LogisticRegression", {"max_iter": 200}), {"class": "LogisticRegression"}),
    Case("TRAIN", "train/scikitlearn", on("MODEL", "fit", FITTED, modelName="MODEL"), {"class": "LogisticRegression", "method": "fit"}),
    Case("PREDICT", "predict/scikitlearn", on("TRAIN", "predict", {"X": "$DATA.x"}), {"typeName": "numpy.ndarray"}),
    Case("EVALUATE", "evaluate/scikitlearn", on("PREDICT", "score", FITTED), {"class": "LogisticRegression", "method": "score"}),
    Case("METRIC", "evaluate/scikitlearn",
         new("sklearn.metrics", "f1_score", methodParameters={"y_true": "$DATA.y", "y_pred": "$PREDICT"}), {"typeName": "float"}),
    Case("TUNE", "tune/scikitlearn", new("sklearn.model_selection", "GridSearchCV", GRID, method="fit", methodParameters=FITTED),
         {"class": "GridSearchCV"}),
    Case("SEARCH", "model/scikitlearn", new("sklearn.model_selection", "GridSearchCV", GRID), {"class": "GridSearchCV"}),
    Case("TUNED", "tune/scikitlearn", on("SEARCH", "fit", FITTED), {"class": "GridSearchCV", "method": "fit"}),
    Case("SCALED", "transform/scikitlearn",
         new("sklearn.preprocessing", "StandardScaler", {}, method="fit_transform", methodParameters={"X": "$DATA.x"}),
         {"class": "StandardScaler", "method": "fit_transform"}),
    Case("SCALER", "model/scikitlearn", new("sklearn.preprocessing", "StandardScaler", {}), {"class": "StandardScaler"}),
    Case("RESCALED", "transform/scikitlearn", on("SCALER", "fit_transform", {"X": "$DATA.x"}), {"class": "StandardScaler"}),
    Case("PICTURE", "explore/scikitlearn",
         new("sklearn.decomposition", "PCA", {"n_components": 2}, method="fit_transform", methodParameters={"X": "$DATA.x"}),
         {"class": "PCA", "method": "fit_transform"}),
    Case("REDRAWN", "explore/scikitlearn", on("SCALER", "fit_transform", {"X": "$DATA.x"}), {"class": "StandardScaler"}),
    Case("KERAS", "model/tensorflow", new("tensorflow.keras.models", "Sequential", {"layers": LAYERS}), {"class": "Sequential"}),
    Case("COMPILE", "train/tensorflow", on("KERAS", "compile", COMPILED), {"class": "Sequential", "method": "compile"}),
    Case("FIT", "train/tensorflow", on("COMPILE", "fit", EPOCH, modelName="COMPILE"), {"class": "Sequential", "method": "fit"}),
    Case("FORESEEN", "predict/tensorflow", on("FIT", "predict", {"x": "$DATA.x"}), {"typeName": "numpy.ndarray"}),
    Case("JUDGED", "evaluate/tensorflow", on("FORESEEN", "evaluate", {"x": "$DATA.x", "y": "$DATA.y"}), {"class": "Sequential"}),
    Case("COUNTED", "evaluate/tensorflow",
         new("sklearn.metrics", "accuracy_score", methodParameters={"y_true": "$DATA.y", "y_pred": "$DATA.y"}), {"typeName": "float"}),
    Case("KERASTUNE", "tune/tensorflow",
         new("orchestra.tuning", "BayesianModelSearch", SEARCH, method="fit", methodParameters=EPOCH), {"class": "BayesianModelSearch"}),
    Case("KERASSEARCH", "model/tensorflow", new("orchestra.tuning", "BayesianModelSearch", SEARCH), {"class": "BayesianModelSearch"}),
    Case("KERASTUNED", "tune/tensorflow", on("KERASSEARCH", "fit", EPOCH), {"class": "BayesianModelSearch"}),
    Case("ONEHOT", "transform/tensorflow", new("tensorflow.keras.utils", "to_categorical", methodParameters={"x": [0, 2, 1]}),
         {"typeName": "numpy.ndarray"}),
    Case("WEIGHTED", "transform/tensorflow", on("KERAS", "get_weights"), {"class": "Sequential"}),
    Case("KERASPICTURE", "explore/tensorflow", new("tensorflow.keras.utils", "to_categorical", methodParameters={"x": [0, 2, 1]}),
         {"class": "to_categorical"}),
    Case("KERASDRAWN", "explore/tensorflow", on("COMPILE", "fit", EPOCH), {"class": "Sequential", "method": "fit"}),
]
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.path}-{case.key.lower()}")
SEES = {"parentName", "modelName", "modulePath"}


def named(value, names):
    """`value` with the names of the steps in place of the cases'."""
    if isinstance(value, dict):
        return {key: named(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [named(each, names) for each in value]
    if not isinstance(value, str):
        return value
    start = value.lstrip("$")
    key = start.partition(".")[0]
    return value.replace(key, names[key], 1) if key in names else value


def documents(server, case, name):
    rest = "/metadata" if case.path.startswith("explore") else ""
    answer = server.get(f"/{case.path}/{name}{rest}")
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


@pytest.fixture(scope="module")
def names(shared):
    names = {"DATA": unique("data"), **{case.key: unique(case.key.lower()) for case in CASES}}
    shared.function(names["DATA"], DATA)
    return names


@pytest.fixture(scope="module")
def posted(shared, names):
    """case → the answer, and what the list said of it right afterwards."""
    found = {}
    for case in CASES:
        key = "modelName" if case.path.startswith("model") else "name"
        answer = shared.post(f"/{case.path}", {key: names[case.key], "description": "first"} | named(case.body, names))
        found[case.key] = answer, shared.get(f"/{case.path}").json()["result"]
    return found


@pytest.fixture(scope="module")
def ended(shared, names, posted):
    """case → its step and its documents."""
    return {case.key: (shared.ended(names[case.key]), documents(shared, case, names[case.key])) for case in CASES}


@pytest.fixture(scope="module")
def changed(shared, names, ended):
    """The same after a PATCH of each, the whole graph anew."""
    found = {}
    for case in CASES:
        answer = shared.patch(f"/{case.path}/{names[case.key]}", {"description": "second"})
        assert answer.status_code == 201, answer.text
    for case in CASES:
        found[case.key] = shared.ended(names[case.key]), documents(shared, case, names[case.key])
    return found


@EACH
def test_post_answers_at_once_and_the_step_is_listed(posted, names, case):
    answer, listed = posted[case.key]
    assert answer.status_code == 201, answer.text
    url = f"{PREFIX}/{case.path}/{names[case.key]}"
    assert answer.json() == {"result": f"{url}?query={{}}&limit=20&skip=0"}
    assert answer.headers["location"] == url
    assert {item["type"] for item in listed} == {case.path}
    assert listed[-1]["name"] == names[case.key] and isinstance(listed[-1]["finished"], bool)


@EACH
def test_the_step_finishes_with_its_metadata(ended, names, case):
    step, (metadata, *_) = ended[case.key]
    assert step["status"] == "finished", step["exception"]
    assert (metadata["_id"], metadata["type"], metadata["finished"], metadata["exception"]) == (0, case.path, True, None)
    if case.path.startswith("model"):
        assert metadata["modelName"] == names[case.key]
    said = {key: value for key, value in named(case.body, names).items() if key in SEES}
    assert {key: metadata.get(key) for key in said} == said
    assert {key: metadata.get(key) for key in case.facts} == case.facts
    assert ("fitTime" in metadata) == (case.path.split("/")[0] in ("train", "tune"))


@EACH
def test_documents_are_the_metadata_and_one_per_attempt(ended, names, case):
    _, (_, *executions) = ended[case.key]
    assert [document["_id"] for document in executions] == [1]
    execution = executions[0]
    assert (execution["status"], execution["exception"], execution["description"]) == ("finished", None, "first")
    assert execution["startTime"] <= execution["endTime"]
    if "methodParameters" in case.body:
        assert execution["methodParameters"] == named(case.body["methodParameters"], names)


@EACH
def test_patch_runs_it_again(changed, case):
    step, (metadata, *executions) = changed[case.key]
    assert (step["status"], step["revision"], metadata["description"]) == ("finished", 2, "second"), step["exception"]
    assert [(document["revision"], document["description"]) for document in executions][-1] == (2, "second")
    assert not step["stale"]


def test_delete_frees_each_name(shared, changed, names):
    for case in reversed(CASES):
        path = f"/{case.path}/{names[case.key]}"
        answer = shared.delete(path)
        assert (answer.status_code, answer.json()["result"]) == (200, "deleted file"), (case.key, answer.text)
        assert shared.get(path).status_code == 404 and shared.delete(path).status_code == 404
    assert shared.delete(f"/function/python/{names['DATA']}").status_code == 200
