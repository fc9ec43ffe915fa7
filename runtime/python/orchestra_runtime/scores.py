"""The numbers in what evaluate gave, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestra_runtime import keras_training, plain
from orchestra_runtime.tool_calls import Outcome

_PER_FOLD = ("cross_val_score",)  # functions whose array has a score for each fold


def of(outcome: Outcome) -> dict[str, int | float | None]:
    """A number has the name of what was called; those of a Keras model are named as it names them. Of a dict each number has its
    key, in dicts within dicts the keys with dots between; an array of numbers in a dict (one per fold) counts by its mean."""
    if (named := keras_training.metrics(outcome.instance, outcome.called, outcome.value)) is not None:
        return _flat(named, "")
    value = _as_array(outcome.value)
    if isinstance(value, Mapping):
        return _flat(value, "")
    is_score = plain.is_number(value) or outcome.called in _PER_FOLD
    return _flat({outcome.called: value}, "") if is_score else {}


def _flat(values: Mapping[Any, Any], prefix: str) -> dict[str, int | float | None]:
    found: dict[str, int | float | None] = {}
    for key, each in values.items():
        name, value = f"{prefix}{key}", _as_array(each)
        if isinstance(value, Mapping):
            found |= _flat(value, f"{name}.")
        elif plain.is_number(value):
            found[name] = plain.number(value)
        elif (mean := _mean(value)) is not None:
            found[name] = plain.number(mean)
    return found


def _as_array(value: Any) -> Any:
    """A tensor as numpy's array, an array without dimensions as its number."""
    if hasattr(value, "numpy") and hasattr(value, "shape"):
        value = value.numpy()
    return value.item() if getattr(value, "shape", None) == () else value


def _mean(value: Any) -> Any:
    """None for what is no row of numbers."""
    numbers = value.tolist() if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist") else value
    if not isinstance(numbers, (list, tuple)) or not numbers or not all(map(plain.is_number, numbers)):
        return None
    return sum(numbers) / len(numbers)
