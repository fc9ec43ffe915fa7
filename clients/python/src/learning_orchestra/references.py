"""Values in parameters that stand for something on the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Named(Protocol):
    """A handle of a step."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Reference:
    """`$name`, or an entry of a stored dict or a column of a dataset: `step["x"][0]` is `$name.x.0`."""

    text: str

    def __getitem__(self, key: str | int) -> Reference:
        is_place = isinstance(key, int) and not isinstance(key, bool) and key >= 0
        if not is_place and (not isinstance(key, str) or not key or "." in key):
            raise TypeError(f"a stored value is taken by the names or places of its entries, not by {key!r}")
        return Reference(f"{self.text}.{key}")

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Expression:
    """Python text that the step evaluates: `Expression("tensorflow.keras.layers.Dense(10)")`."""

    code: str


@dataclass(frozen=True)
class Literal:
    """A text that is itself, though it begins with `$` or `#`."""

    text: str


def name_of(step: str | Named) -> str:
    return step if isinstance(step, str) else step.name


def encode(value: Any) -> Any:
    """Parameters as JSON: handles, references and expressions become the texts that the API reads."""
    if isinstance(value, Reference):
        return value.text
    if isinstance(value, Expression):
        return "#" + value.code
    if isinstance(value, Literal):
        return "\\" + value.text if value.text[:1] in ("$", "#", "\\") else value.text
    if isinstance(value, Mapping):
        return {str(key): encode(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(each) for each in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Named):
        return f"${value.name}"
    return _number(value)


def _number(value: Any) -> Any:
    """numpy's scalars are numbers; all else has no JSON form."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(f"a parameter cannot be a {type(value).__name__}: upload it (put, a function) and refer to the step")
