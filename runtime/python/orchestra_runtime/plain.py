"""Values as JSON can carry them to a strict parser."""

from __future__ import annotations

import math
import numbers
from typing import Any


def text(value: str) -> str:
    """Without lone surrogates (a file name that is no UTF-8 has them), which strict parsers refuse."""
    return value.encode("utf-8", "replace").decode("utf-8")


def jsonable(value: Any) -> Any:
    """NaN and infinities become null, numpy's scalars numbers; what JSON does not know becomes its text."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {text(str(key)): jsonable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(each) for each in value]
    if is_number(value):
        return number(value)
    return text(str(value))


def is_number(value: Any) -> bool:
    """Python's and numpy's real numbers; not booleans."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def number(value: Any) -> int | float | None:
    if isinstance(value, numbers.Integral):
        return int(value)
    real = float(value)
    return real if math.isfinite(real) else None
