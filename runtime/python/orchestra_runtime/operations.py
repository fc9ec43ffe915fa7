"""Which function does which operation: imported when a step asks for it, so that a step loads no other's libraries."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from orchestra_runtime.job import Job

OPERATIONS = {
    "function/python": "orchestra_runtime.function:run",
    "builder/sparkml": "orchestra_runtime.spark_builder:run",
    "internal/spark-release": "orchestra_runtime.spark_builder:release",
}


def operation(name: str) -> Callable[[Job], None]:
    if name not in OPERATIONS:
        raise LookupError(f"operation '{name}' is unknown to this runtime ({', '.join(sorted(OPERATIONS))})")
    module, function = OPERATIONS[name].split(":")
    run: Callable[[Job], None] = getattr(importlib.import_module(module), function)
    return run
