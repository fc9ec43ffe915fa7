"""Which function does which operation: imported when a step asks for it, so that a step loads no other's libraries."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from orchestra_runtime.job import Job

OPERATIONS = {
    "function/python": "orchestra_runtime.function:run",
    "builder/sparkml": "orchestra_runtime.spark_builder:run",
    "internal/spark-release": "orchestra_runtime.spark_builder:release",
    "dataset/sql": "orchestra_runtime.sql:run",
    "environment": "orchestra_runtime.environments:run",
    "internal/export": "orchestra_runtime.export:run",
    **{f"explore/{tool}": "orchestra_runtime.explore:run" for tool in ("scikitlearn", "tensorflow")},
    **{f"{service}/{tool}": "orchestra_runtime.tool_services:run"
       for service in ("model", "train", "predict", "evaluate", "tune", "transform") for tool in ("scikitlearn", "tensorflow")},
}


def operation(name: str) -> Callable[[Job], None]:
    if name not in OPERATIONS:
        raise LookupError(f"operation '{name}' is unknown to this runtime ({', '.join(sorted(OPERATIONS))})")
    module, function = OPERATIONS[name].split(":")
    run: Callable[[Job], None] = getattr(importlib.import_module(module), function)
    return run
