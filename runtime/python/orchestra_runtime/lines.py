"""The instance form: which stored instance of a step's line has the method that the request names."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from typing import Any

from orchestra_runtime.job import Job
from orchestra_runtime.refusals import BadRequest, instead, public
from orchestra_runtime.records import Input
from orchestra_runtime.tools import Toolbox


def instance(job: Job, line: Sequence[str], method: str, toolbox: Toolbox) -> Any:
    """The first of the line whose class belongs to the tool and has the method. BadRequest lists what was looked at."""
    refused = []
    for reference in line:
        stored = job.input(reference)
        if (why := _foreign(stored, toolbox)) is None:
            value = job.load(reference)
            if toolbox.owns(type(value)) and has_method(value, method):
                return value
            why = _unsuitable(value, method, toolbox)
        refused.append(f"'{reference}' {why}")
    raise BadRequest(f"method: nothing in the line of this step has a method '{method}' of {toolbox.tool}: {', '.join(refused)}")


def has_method(value: Any, method: str) -> bool:
    return (method == "__call__" or not method.startswith("_")) and callable(getattr(value, method, None))


def methods(value: Any) -> list[str]:
    return [name for name in public(dir(value)) if callable(getattr(value, name, None))]


def _foreign(stored: Input, toolbox: Toolbox) -> str | None:
    """Why the value cannot be meant, where that can be told without loading it."""
    if stored.kind != "object":
        return "is a dataset" if stored.kind == "table" else f"is of kind {stored.kind}"
    kind = _loaded_class(stored.type_name)
    return f"is a {stored.type_name}" if kind is not None and not toolbox.owns(kind) else None


def _loaded_class(type_name: str) -> type | None:
    """None when its module is not imported here, or it is a class of the user's own code."""
    module, _, name = type_name.rpartition(".")
    found = getattr(sys.modules.get(module) if module else builtins, name, None)
    return found if isinstance(found, type) else None


def _unsuitable(value: Any, method: str, toolbox: Toolbox) -> str:
    kind = type(value)
    if not toolbox.owns(kind):
        return f"is a {kind.__module__}.{kind.__qualname__}"
    return f"is a {kind.__name__}, which has no '{method}' ({instead(method, methods(value))})"
