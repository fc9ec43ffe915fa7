"""Metrics by name, and progress that fits into a message. In-process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestra_runtime import reporting, scores
from orchestra_runtime.tool_calls import Outcome

numpy = pytest.importorskip("numpy")


@pytest.mark.parametrize(("value", "metrics"), [
    (0.5, {"call": 0.5}), (numpy.float32(0.5), {"call": 0.5}), (numpy.array(2), {"call": 2}), (float("nan"), {"call": None}),
    (True, {}), ("text", {}), (None, {}), ([1, 2], {}), (numpy.ones((2, 2)), {}), ((0.5, 0.5), {}),
    ({"a": 1, "b": {"c": 0.5, "d": {2: 3}}, "text": "x"}, {"a": 1, "b.c": 0.5, "b.d.2": 3}),
    ({"folds": numpy.array([1.0, 2.0]), "list": [1, 3], "mixed": [1, "x"], "none": [], "table": numpy.ones((2, 2))},
     {"folds": 1.5, "list": 2.0}),
])
def test_metrics(value: Any, metrics: dict[str, Any]) -> None:
    assert scores.of(Outcome(value, "call", None, 0.0)) == metrics


def test_progress_that_has_no_room_is_left_out() -> None:
    data = {"phase": "training", "epoch": 1} | {f"metric-{number:05}": 0.123456 for number in range(10_000)}
    fits = reporting.fitting(data)
    assert 50_000 < len(json.dumps({"type": "progress", "member": "n" * 128, "data": fits}).encode()) < 64 * 1024
    assert list(fits)[:3] == ["phase", "epoch", "metric-00000"]


def test_progress_outside_of_a_step_goes_nowhere() -> None:
    reporting.report({"phase": "tuning"})
