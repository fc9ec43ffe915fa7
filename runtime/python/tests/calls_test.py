"""Calls by named parameters. In-process."""

from __future__ import annotations

from typing import Any

import pytest

from orchestra_runtime import calls
from orchestra_runtime.refusals import BadRequest


def plain(a: Any, b: Any = 2, *, c: Any = 3) -> Any:
    return a, b, c


def spread(first: Any = 0, *rest: Any, last: Any = 9) -> Any:
    return first, rest, last


def positional(a: Any, b: Any = 2, /, **more: Any) -> Any:
    return a, b, more


class TakesAll:
    def __new__(cls, *arguments: Any, **named: Any) -> TakesAll:
        return super().__new__(cls)

    def __init__(self, units: int) -> None:
        self.units = units


@pytest.mark.parametrize(("target", "parameters", "result"), [
    (plain, {"a": 1}, (1, 2, 3)), (plain, {"c": 0, "a": 1}, (1, 2, 0)),
    (spread, {"rest": [1, 2]}, (0, (1, 2), 9)), (spread, {"first": 5, "rest": [1], "last": 0}, (5, (1,), 0)),
    (spread, {}, (0, (), 9)),
    (positional, {"a": 1, "x": 5}, (1, 2, {"x": 5})), (positional, {"a": 1, "b": 3}, (1, 3, {})),
    (dict, {"x": 1}, {"x": 1}),
])
def test_parameters_reach_the_call(target: Any, parameters: dict[str, Any], result: Any) -> None:
    assert calls.call(target, parameters, "f", "methodParameters") == result


@pytest.mark.parametrize(("target", "parameters", "said"), [
    (plain, {"a": 1, "B": 1}, "methodParameters.B: f has no parameter 'B': did you mean 'b'?"),
    (plain, {"a": 1, "zeta": 1}, "methodParameters.zeta: f has no parameter 'zeta': there are a, b, c"),
    (plain, {"b": 1}, "methodParameters: f needs 'a', which is not given"),
    (positional, {"b": 1}, "methodParameters: f needs 'a', which is not given"),
    (spread, {"rest": "text"}, "methodParameters.rest: f takes a list here, of its positional arguments"),
    (TakesAll, {"unit": 1}, "methodParameters.unit: f has no parameter 'unit': did you mean 'units'?"),
    ((lambda: 0), {"x": 1}, "methodParameters.x: f has no parameter 'x': there is none"),
])
def test_parameters_that_do_not_fit_are_named(target: Any, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest) as raised:
        calls.call(target, parameters, "f", "methodParameters")
    assert str(raised.value) == said


def test_what_the_call_raises_is_passed_on() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        calls.call(lambda a: a + "", {"a": 1}, "f", "methodParameters")


def test_methods_that_ask_for_their_instance_get_along_without() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    sklearn = pytest.importorskip("sklearn")
    with sklearn.config_context(enable_metadata_routing=True):
        model = linear_model.LogisticRegression()
        assert calls.call(model.set_fit_request, {"sample_weight": True}, "set_fit_request", "methodParameters") is model
