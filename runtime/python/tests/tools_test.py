"""Which modules the services of a tool may call, and what is said of the others. In-process."""

from __future__ import annotations

import pytest

from orchestra_runtime.refusals import BadRequest
from orchestra_runtime.tools import Toolbox

pytest.importorskip("sklearn")
SCIKIT = Toolbox("model", "scikitlearn")


@pytest.mark.parametrize(("module", "name"), [
    ("sklearn.linear_model", "LogisticRegression"), ("sklearn.linear_model._logistic", "LogisticRegression"),
    ("sklearn.metrics", "f1_score"), ("sklearn.pipeline", "make_pipeline"),
    ("sklearn.model_selection", "HalvingGridSearchCV"), ("sklearn.impute", "IterativeImputer"),
])
def test_callables_of_the_tool_are_found(module: str, name: str) -> None:
    assert SCIKIT.find(module, name).__name__ == name


@pytest.mark.parametrize("module", [
    "os", "subprocess", "builtins", "importlib", "sys", "shutil", "posix", "pickle", "joblib", "orchestra_runtime.tools",
    "sklearnx", "", "numpy", "tensorflow", "keras",
])
def test_other_modules_are_refused(module: str) -> None:
    said = f"modulePath: '{module}' does not belong to scikitlearn: its modules are sklearn, xgboost"
    with pytest.raises(BadRequest, match=said):
        SCIKIT.find(module, "system")


@pytest.mark.parametrize(("module", "said"), [
    ("sklearn.utils.os", "there is no module 'sklearn.utils.os': 'sklearn.utils' has no 'os': "),
    ("sklearn.linear_modell",
     "there is no module 'sklearn.linear_modell': 'sklearn' has no 'linear_modell': did you mean 'linear_model'?"),
    ("sklearn.no such", "'sklearn.no such' is no name of a module"),
    ("sklearn..os", "'sklearn..os' is no name of a module"),
    ("sklearn.", "'sklearn.' is no name of a module"),
])
def test_modules_that_do_not_exist(module: str, said: str) -> None:
    with pytest.raises(BadRequest) as raised:
        SCIKIT.find(module, "system")
    assert str(raised.value).startswith(f"modulePath: {said}")


@pytest.mark.parametrize(("module", "name", "said"), [
    ("sklearn.linear_model", "LogisticRegresion", "has no 'LogisticRegresion': did you mean 'LogisticRegression'"),
    ("sklearn.metrics", "F1_Score", "has no 'F1_Score': did you mean 'f1_score'"),
    ("sklearn.metrics", "__import__", "has no '__import__': "),
    ("sklearn.linear_model._logistic", "np", "'np' of module 'sklearn.linear_model._logistic' is a module, and cannot be called"),
    ("sklearn.base", "os.system", "has no 'os.system'"),
    ("sklearn.utils.parallel", "Parallel_", "has no 'Parallel_'"),
])
def test_names_that_cannot_be_called(module: str, name: str, said: str) -> None:
    with pytest.raises(BadRequest) as raised:
        SCIKIT.find(module, name)
    assert said in str(raised.value)


def test_what_a_module_of_the_tool_imported_from_elsewhere_is_refused() -> None:
    with pytest.raises(BadRequest, match="'contextmanager' of module 'sklearn._config' comes from module 'contextlib', which"):
        SCIKIT.find("sklearn._config", "contextmanager")


@pytest.mark.parametrize("service", ["transform", "explore", "evaluate"])
def test_some_services_may_call_what_belongs_to_no_tool(service: str) -> None:
    for tool in ("scikitlearn", "tensorflow"):
        toolbox = Toolbox(service, tool)
        assert toolbox.find("numpy", "mean").__name__ == "mean"
        assert toolbox.find("sklearn.metrics", "f1_score").__name__ == "f1_score"
        assert not toolbox.owns(type(toolbox.find("numpy", "array")([1])))


def test_an_environment_widens_the_tool() -> None:
    toolbox = Toolbox("model", "scikitlearn", ["fractions"])
    half = toolbox.find("fractions", "Fraction")(1, 2)
    assert toolbox.owns(type(half))
    with pytest.raises(BadRequest, match="its modules are .*, fractions"):
        toolbox.find("decimal", "Decimal")


def test_a_class_of_the_users_belongs_to_the_tool_that_it_derives_from() -> None:
    from sklearn.base import BaseEstimator

    class Own(BaseEstimator):  # type: ignore[misc]
        pass

    assert SCIKIT.owns(Own) and not SCIKIT.owns(dict)
