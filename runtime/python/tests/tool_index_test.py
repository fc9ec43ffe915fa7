"""The index, made as set-up makes it, against what Python says."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import HOME
from orchestra_runtime import calls, experimental
from orchestra_runtime.refusals import BadRequest

needs_keras = pytest.mark.skipif(find_spec("keras") is None, reason="needs Keras")
TOOLS = ["scikitlearn", *(["tensorflow"] if find_spec("keras") else [])]


def make(out: Path, *tools: str, flags: tuple[str, ...] = ("-I",), **more: Any) -> subprocess.CompletedProcess[str]:
    options = [part for tool in tools for part in ("--tool", tool)]
    return subprocess.run([sys.executable, *flags, str(HOME / "orchestra_tool_index.py"), *options, str(out)],
                          capture_output=True, text=True, check=False, **more)


class Index:
    """As the server reads it."""

    def __init__(self, path: Path) -> None:
        self.content = json.loads(path.read_text())

    def find(self, module: str, name: str) -> dict[str, Any]:
        modules, aliases = self.content["modules"], self.content["aliases"]
        alias = next((each for each in aliases if module == each or module.startswith(f"{each}.")), None)
        if module not in modules and alias:
            module = aliases[alias] + module.removeprefix(alias)
        return self.content["callables"][modules[module][name]]

    def method(self, module: str, name: str, method: str) -> dict[str, Any] | None:
        return self.signature(self.content["methods"][self.find(module, name)["methods"]][method])

    def signature(self, place: int | None) -> dict[str, Any] | None:
        return None if place is None else self.content["signatures"][place]


def binds(signature: dict[str, Any], given_: set[str]) -> bool:
    required, optional = set(signature.get("required", ())), set(signature.get("optional", ()))
    known = required | optional | {signature.get("varargs")}
    return required <= given_ and (signature.get("varkw", False) or given_ <= known)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("index") / "tools.json"
    done = make(out, *TOOLS)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def index(path: Path) -> Index:
    return Index(path)


def test_classes_methods_and_functions(index: Index) -> None:
    found = index.find("sklearn.linear_model", "LogisticRegression")
    assert (found["kind"], found["name"]) == ("class", "sklearn.linear_model._logistic.LogisticRegression")
    assert found["doc"].startswith("Logistic Regression")
    assert index.method("sklearn.linear_model", "LogisticRegression", "fit") == {"required": ["X", "y"], "optional": ["sample_weight"]}
    assert index.method("sklearn.linear_model", "LogisticRegression", "get_params") == {"optional": ["deep"]}  # inherited
    function = index.find("sklearn.metrics", "f1_score")
    assert function["kind"] == "function" and "methods" not in function
    assert index.signature(function["signature"])["required"] == ["y_true", "y_pred"]
    assert index.signature(index.find("sklearn.model_selection", "train_test_split")["signature"])["varargs"] == "arrays"


def test_methods_that_only_some_instances_have(index: Index) -> None:
    assert index.method("sklearn.svm", "SVC", "predict_proba") == {"required": ["X"]}
    assert index.method("sklearn.svm", "SVC", "set_fit_request") == {"optional": ["sample_weight"]}
    assert index.method("sklearn.pipeline", "Pipeline", "transform") == {"required": ["X"], "varkw": True}


def test_methods_of_classes(index: Index) -> None:
    assert index.method("sklearn.metrics", "RocCurveDisplay", "from_predictions")["required"] == ["y_true"]


def test_what_is_experimental_is_listed(index: Index) -> None:
    assert index.find("sklearn.model_selection", "HalvingGridSearchCV")["kind"] == "class"


def test_an_unknown_signature_is_null(index: Index) -> None:
    assert index.find("sklearn.neighbors", "KDTree")["signature"] is None


def test_private_modules_and_what_modules_import_are_not_listed(index: Index) -> None:
    modules = index.content["modules"]
    assert not [name for name in modules if "._" in name or name.startswith("keras.src") or ".tests" in name]
    assert "partial" not in modules["sklearn.metrics.pairwise"] and "pairwise_distances" in modules["sklearn.metrics.pairwise"]
    packages = {name.partition(".")[0] for name in modules}
    assert {"sklearn"} <= packages <= {"sklearn", "keras", "tensorflow", "orchestra", "xgboost", "lightgbm", "imblearn"}


@needs_keras
def test_keras_under_both_names(index: Index) -> None:
    assert index.find("keras.layers", "Dense") == index.find("tensorflow.keras.layers", "Dense")
    assert index.find("keras", "Sequential") == index.find("tensorflow.keras", "Sequential")
    assert index.signature(index.find("keras", "Sequential")["signature"]) == {"optional": ["layers", "trainable", "name"]}
    assert index.signature(index.find("keras.layers", "Dense")["signature"])["required"] == ["units"]
    assert "epochs" in index.method("tensorflow.keras.models", "Sequential", "fit")["optional"]
    assert index.find("tensorflow.keras.preprocessing.text", "Tokenizer")["kind"] == "class"  # TensorFlow's name alone has it
    assert "keras.src.models.functional.Functional" in {each["name"] for each in index.content["callables"]}


def test_every_listed_name_can_be_called(index: Index) -> None:
    for module, names in index.content["modules"].items():
        if module.startswith("sklearn"):
            for name in names:
                experimental.enable(name)
                assert callable(getattr(importlib.import_module(module), name))


def test_every_estimator_has_its_methods(index: Index) -> None:
    from sklearn.utils import all_estimators

    listed = {each["name"]: each for each in index.content["callables"]}
    for _, estimator in all_estimators():
        known = index.content["methods"][listed[f"{estimator.__module__}.{estimator.__qualname__}"]["methods"]]
        expected = {name for name in dir(estimator) if not name.startswith("_") and callable(getattr(estimator, name, None))}
        assert expected == set(known) - {"__call__"}


_NAMES = st.sets(st.sampled_from(["X", "y", "C", "sample_weight", "deep", "n_clusters", "unknown", "y_true", "y_pred", "arrays"]))
_TARGETS = [("sklearn.svm", "SVC"), ("sklearn.cluster", "KMeans"), ("sklearn.metrics", "f1_score"), ("sklearn.cluster", "k_means"),
            ("sklearn.model_selection", "train_test_split"), ("sklearn.pipeline", "make_pipeline")]


@settings(max_examples=50, deadline=None)
@given(names=_NAMES)
def test_parameters_bind_as_the_step_binds_them(index: Index, names: set[str]) -> None:
    for module, name in _TARGETS:
        target = getattr(importlib.import_module(module), name)
        signatures = [(index.signature(index.find(module, name)["signature"]), inspect.signature(target))]
        if inspect.isclass(target):
            methods = index.content["methods"][index.find(module, name)["methods"]]
            signatures += [(index.signature(place), inspect.signature(getattr(target(), each))) for each, place in methods.items()
                           if hasattr(target(), each) and not each.endswith("_request")]  # which claim to need a self
        for indexed, known in signatures:
            assert binds(indexed, names) == accepted(known, names)


def accepted(known: inspect.Signature, names: set[str]) -> bool:
    try:
        calls.check(known, dict.fromkeys(names, []), "target", "parameters")
        return True
    except BadRequest:
        return False


def test_the_same_packages_give_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.json"
    assert make(again, *reversed(TOOLS)).returncode == 0
    assert again.read_bytes() == path.read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["again.json"]


def test_it_stays_small(path: Path) -> None:
    assert path.stat().st_size < 1_500_000


def test_a_missing_tool_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "tools.json"
    out.write_text("as before")
    done = make(out, "scikitlearn", flags=("-I", "-S"))  # without installed packages
    assert done.returncode == 3 and done.stderr == "tool 'scikitlearn': No module named 'sklearn'\n"
    assert out.read_text() == "as before"


def test_wrong_arguments(tmp_path: Path) -> None:
    assert make(tmp_path / "tools.json").returncode == 2
    assert make(tmp_path / "tools.json", "r").returncode == 2
