"""The services of scikit-learn, in real steps."""

from __future__ import annotations

import pytest

from conftest import Ended, ForkServer
from tool_steps import DATA, LOGISTIC, on, run, shown, start

pytest.importorskip("sklearn")
XY = {"X": "$data.x", "y": "$data.y"}


@pytest.fixture(scope="module")
def data(scientific: ForkServer) -> Ended:
    return scientific.run(DATA)


@pytest.fixture(scope="module")
def model(scientific: ForkServer) -> Ended:
    return run(scientific, "model/scikitlearn", LOGISTIC | {"classParameters": {"C": 2.0}})


@pytest.fixture(scope="module")
def trained(scientific: ForkServer, data: Ended, model: Ended) -> Ended:
    return run(scientific, "train/scikitlearn", on(["model"], "fit", XY), {"model": model, "data": data})


def test_a_model_is_the_instance(model: Ended) -> None:
    result = model.finished()
    assert result["facts"] == {"typeName": "sklearn.linear_model._logistic.LogisticRegression", "class": "LogisticRegression"}
    assert result["manifest"]["kind"] == "object"


def test_training_keeps_the_instance_whose_method_ran(scientific: ForkServer, trained: Ended) -> None:
    facts = trained.finished()["facts"]
    assert (facts["class"], facts["method"]) == ("LogisticRegression", "fit") and facts["fitTime"] > 0
    assert shown(scientific, "print(m.C, m.coef_.shape)", m=trained) == "2.0 (1, 3)"


def test_training_changes_no_stored_model(scientific: ForkServer, model: Ended, trained: Ended) -> None:
    trained.finished()
    assert shown(scientific, "print(hasattr(m, 'coef_'))", m=model) == "False"


def test_prediction_is_what_the_method_gives(scientific: ForkServer, data: Ended, trained: Ended) -> None:
    predicted = run(scientific, "predict/scikitlearn", on(["t"], "predict", {"X": "$data.x"}), {"t": trained, "data": data})
    assert predicted.finished()["manifest"]["typeName"] == "numpy.ndarray"
    assert predicted.finished()["facts"] == {"typeName": "numpy.ndarray", "class": "LogisticRegression", "method": "predict"}
    assert shown(scientific, "print((p == d['y']).mean() > 0.8)", p=predicted, d=data) == "True"


def test_the_line_of_a_prediction_leads_to_its_model(scientific: ForkServer, data: Ended, trained: Ended) -> None:
    inputs = {"t": trained, "data": data}
    inputs["p"] = run(scientific, "predict/scikitlearn", on(["t"], "predict", {"X": "$data.x"}), inputs)
    scored = run(scientific, "evaluate/scikitlearn", on(["data", "p", "t"], "score", XY), inputs)
    assert scored.finished()["facts"]["class"] == "LogisticRegression"


def test_nothing_in_the_line_with_the_method_lists_what_was_looked_at(scientific: ForkServer, data: Ended, trained: Ended) -> None:
    frame = scientific.run("import pandas\nresponse = pandas.DataFrame({'a': [1]})")
    inputs = {"table": frame, "data": data, "t": trained}
    failed = run(scientific, "predict/scikitlearn", on(["table", "data", "t"], "predicts"), inputs)
    assert failed.failed()["exception"] == (
        "BadRequest: method: nothing in the line of this step has a method 'predicts' of scikitlearn: 'table' is a dataset, "
        "'data' is a dict, 't' is a LogisticRegression, which has no 'predicts' (did you mean 'predict' or 'predict_proba'?)")


def test_methods_that_are_not_public_are_refused(scientific: ForkServer, trained: Ended) -> None:
    failed = run(scientific, "train/scikitlearn", on(["t"], "__reduce__"), {"t": trained})
    assert "'t' is a LogisticRegression, which has no '__reduce__'" in failed.failed()["exception"]


def test_a_frame_that_a_transformation_gives_is_a_dataset(scientific: ForkServer) -> None:
    frame = scientific.run("import pandas\nresponse = pandas.DataFrame({'a': [1.0, 3.0], 'b': [0.0, 1.0]})")
    request = {"modulePath": "sklearn.compose", "class": "ColumnTransformer", "classParameters": {
        "transformers": [["scale", "#sklearn.preprocessing.MinMaxScaler()", ["a"]]], "verbose_feature_names_out": False}}
    made = run(scientific, "model/scikitlearn", request)
    code = "model.set_output(transform='pandas')\nresponse = model"
    pandas = scientific.run(code, {"model": "$m"}, inputs={"m": made.as_input()})
    result = run(scientific, "transform/scikitlearn", on(["m"], "fit_transform", {"X": "$d"}), {"m": pandas, "d": frame}).finished()
    assert (result["manifest"]["kind"], result["manifest"]["rows"]) == ("table", 2)
    assert result["manifest"]["fields"] == [{"name": "a", "type": "number"}]


def test_class_form_with_a_method(scientific: ForkServer, data: Ended) -> None:
    request = {"modulePath": "sklearn.preprocessing", "class": "StandardScaler", "classParameters": {"with_mean": True},
               "method": "fit_transform", "methodParameters": {"X": "$data.x"}}
    scaled = run(scientific, "transform/scikitlearn", request, {"data": data})
    assert scaled.finished()["facts"] == {"typeName": "numpy.ndarray", "class": "StandardScaler", "method": "fit_transform"}
    assert shown(scientific, "print(abs(s.mean()) < 1e-9)", s=scaled) == "True"


def test_positional_arguments_are_a_list_by_their_name(scientific: ForkServer, data: Ended) -> None:
    request = {"modulePath": "sklearn.model_selection", "class": "train_test_split",
               "methodParameters": {"arrays": ["$data.x", "$data.y"], "test_size": 0.25, "random_state": 0}}
    parts = run(scientific, "transform/scikitlearn", request, {"data": data})
    assert shown(scientific, "print([len(each) for each in p])", p=parts) == "[45, 15, 45, 15]"


def test_a_class_method_needs_no_instance(scientific: ForkServer) -> None:
    request = {"modulePath": "pandas", "class": "DataFrame", "method": "from_dict", "methodParameters": {"data": {"a": [1, 2]}}}
    assert run(scientific, "transform/scikitlearn", request).finished()["manifest"]["rows"] == 2


def test_a_pipeline_of_instances_and_functions_of_the_users(scientific: ForkServer) -> None:
    code = "stop = {'the'}\ndef split(text):\n  return [w for w in text.split() if w not in stop]\nresponse = split"
    tokenizer = scientific.run(code)
    steps = [["tfidf", "#sklearn.feature_extraction.text.TfidfVectorizer(token_pattern=None)"],
             ["lr", "#sklearn.linear_model.LogisticRegression()"]]
    pipeline = {"modulePath": "sklearn.pipeline", "class": "Pipeline", "classParameters": {"steps": steps}}
    made = run(scientific, "model/scikitlearn", pipeline)
    code = "model.set_params(tfidf__tokenizer=split)\nresponse = model"
    told = scientific.run(code, {"model": "$m", "split": "$s"}, inputs={"m": made.as_input(), "s": tokenizer.as_input()})
    texts = {"X": ["the good", "the bad", "good", "bad"], "y": [1, 0, 1, 0]}
    fitted = run(scientific, "train/scikitlearn", on(["m"], "fit", texts), {"m": told})
    assert shown(scientific, "print(list(m[0].get_feature_names_out()), m.predict(['bad bad']))", m=fitted) == "['bad', 'good'] [0]"


def test_a_lambda_in_a_parameter_travels(scientific: ForkServer) -> None:
    request = {"modulePath": "sklearn.feature_extraction.text", "class": "TfidfVectorizer",
               "classParameters": {"tokenizer": "#lambda text: re.split('-', text)", "token_pattern": None}}
    vectorizer = run(scientific, "model/scikitlearn", request)
    fitted = run(scientific, "transform/scikitlearn", on(["v"], "fit", {"raw_documents": ["a-b", "c"]}), {"v": vectorizer})
    assert shown(scientific, "print(list(v.get_feature_names_out()))", v=fitted) == "['a', 'b', 'c']"


def test_an_error_in_code_of_the_users_shows_its_line(scientific: ForkServer) -> None:
    request = {"modulePath": "sklearn.preprocessing", "class": "FunctionTransformer",
               "classParameters": {"func": "#(lambda x:\n  x[0][0] / 0)"}, "method": "transform", "methodParameters": {"X": [[1]]}}
    failed = run(scientific, "transform/scikitlearn", request).failed()
    assert failed["exception"] == "ZeroDivisionError: division by zero"
    assert 'File "<classParameters.func>", line 2, in <lambda>\n    x[0][0] / 0' in failed["traceback"]
    assert "orchestra_runtime" not in failed["traceback"]


def test_a_class_of_the_users_is_an_estimator_of_the_tool(scientific: ForkServer) -> None:
    own = scientific.run("from sklearn.base import BaseEstimator\nclass Mean(BaseEstimator):\n"
                         "  def fit(self, X, y):\n    self.mean = sum(y) / len(y)\n    return self\nresponse = Mean()")
    fitted = run(scientific, "train/scikitlearn", on(["own"], "fit", {"X": [[0], [0]], "y": [1, 2]}), {"own": own})
    assert fitted.finished()["facts"]["class"] == "Mean"
    assert shown(scientific, "print(m.mean)", m=fitted) == "1.5"


def test_texts_that_look_like_values_are_escaped(scientific: ForkServer) -> None:
    request = {"modulePath": "sklearn.feature_extraction.text", "class": "CountVectorizer",
               "classParameters": {"stop_words": ["\\$a", "\\#b"], "tokenizer": "#[str.split][0]"}}
    made = run(scientific, "model/scikitlearn", request)
    assert shown(scientific, "print(m.stop_words)", m=made) == "['$a', '#b']"


@pytest.mark.parametrize("module", ["os", "subprocess", "builtins", "importlib", "sys", "shutil", "sklearn.utils.os", "numpy"])
@pytest.mark.parametrize("service", ["model", "train", "predict", "tune"])
def test_hostile_modules_are_refused(scientific: ForkServer, service: str, module: str) -> None:
    request = {"modulePath": module, "class": "system", "classParameters": {"command": "echo ran"}}
    failed = run(scientific, f"{service}/scikitlearn", request)
    assert failed.failed()["exception"].startswith("BadRequest: modulePath: ") and failed.output == ""


@pytest.mark.parametrize(("request_", "said"), [
    (LOGISTIC | {"class": "LogisticRegresion"}, "class: module 'sklearn.linear_model' has no 'LogisticRegresion': did you mean"),
    (LOGISTIC | {"classParameters": {"c": 1}}, "classParameters.c: LogisticRegression has no parameter 'c': did you mean 'C'?"),
    (LOGISTIC | {"method": "fits"}, "method: a LogisticRegression has no method 'fits': did you mean 'fit'"),
    (LOGISTIC | {"method": "fit", "methodParameters": {"X": 1}},
     "methodParameters: LogisticRegression.fit needs 'y', which is not given"),
    (LOGISTIC | {"method": "fit", "methodParameters": {"x": 1, "y": 1}},
     "methodParameters.x: LogisticRegression.fit has no parameter 'x': did you mean 'X'?"),
    (LOGISTIC | {"classParameters": {"C": 1}, "methodParameters": {"C": 2}},
     "methodParameters.C: 'C' is given in classParameters, too"),
    ({"name": "x"}, "the request names neither a modulePath with a class, nor a parentName with a method"),
])
def test_what_is_wrong_is_named(scientific: ForkServer, request_: dict[str, object], said: str) -> None:
    assert run(scientific, "train/scikitlearn", request_).failed()["exception"].startswith(f"BadRequest: {said}")


def test_modules_of_an_environment_widen_the_tool(scientific: ForkServer) -> None:
    request = {"modulePath": "fractions", "class": "Fraction", "classParameters": {"numerator": 1}}
    assert run(scientific, "model/scikitlearn", request).failed()
    assert run(scientific, "model/scikitlearn", request, modules=["fractions"]).finished()["facts"]["class"] == "Fraction"


def test_scores_are_metrics(scientific: ForkServer, data: Ended, trained: Ended) -> None:
    inputs = {"t": trained, "data": data}
    facts = run(scientific, "evaluate/scikitlearn", on(["t"], "score", XY), inputs).finished()["facts"]
    assert facts["method"] == "score" and 0.8 < facts["metrics"]["score"] <= 1


@pytest.mark.parametrize(("name", "parameters", "metrics"), [
    ("f1_score", {"y_true": [1, 1, 0], "y_pred": [1, 1, 0]}, {"f1_score": 1.0}),
    ("confusion_matrix", {"y_true": [1, 0], "y_pred": [1, 0]}, None),
    ("classification_report", {"y_true": [1, 0], "y_pred": [1, 0], "output_dict": True},
     {"1.precision": 1.0, "macro avg.support": 2.0}),
])
def test_metrics_of_functions(scientific: ForkServer, name: str, parameters: dict[str, object],
                              metrics: dict[str, float] | None) -> None:
    request = {"modulePath": "sklearn.metrics", "class": name, "methodParameters": parameters}
    facts = run(scientific, "evaluate/scikitlearn", request).finished()["facts"]
    assert "class" not in facts and "method" not in facts
    found = facts.get("metrics")
    assert found is None if metrics is None else metrics.items() <= found.items()


@pytest.mark.parametrize(("name", "metric"), [("cross_validate", "test_score"), ("cross_val_score", "cross_val_score")])
def test_metrics_of_folds_are_their_means(scientific: ForkServer, data: Ended, model: Ended, name: str, metric: str) -> None:
    request = {"modulePath": "sklearn.model_selection", "class": name, "methodParameters": XY | {"estimator": "$model", "cv": 3}}
    facts = run(scientific, "evaluate/scikitlearn", request, {"data": data, "model": model}).finished()["facts"]
    assert 0.5 < facts["metrics"][metric] <= 1


def test_a_checkpoint_folder_is_in_the_environment(scientific: ForkServer) -> None:
    folder = scientific.folder / "checkpoint"
    code = "import os\nprint(os.environ.get('ORCHESTRA_CHECKPOINT'))\nresponse = 0"
    assert scientific.run(code, checkpoint=str(folder)).output == f"{folder}\n"
    assert folder.is_dir() and scientific.run(code).output == "None\n"
    request = {"modulePath": "sklearn.preprocessing", "class": "FunctionTransformer",
               "method": "transform", "methodParameters": {"X": [[1]]},
               "classParameters": {"func": "#lambda x: print(os.environ['ORCHESTRA_CHECKPOINT'])"}}
    assert start(scientific, "transform/scikitlearn", request, checkpoint=str(folder)).ended().output == f"{folder}\n"
