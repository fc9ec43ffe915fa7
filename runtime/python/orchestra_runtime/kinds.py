"""What a fork server of each kind loads before it forks."""

from __future__ import annotations

import gc
import importlib
import os

# Nothing that takes more than a few milliseconds; but what every step needs, so that no step waits for it.
_EVERY = ("cloudpickle", "orchestra_runtime.function", "orchestra_runtime.keeper")
_SCIENTIFIC = (
    "numpy",
    "pandas",
    "pyarrow",
    "pyarrow.parquet",
    "pyarrow.compute",
    "sklearn",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.metrics",
)
KINDS = ("bare", "scientific", "spark")


class TooManyThreads(RuntimeError):
    """A process with other threads must not fork: one of them may hold a lock that the child would wait for."""


def load(kind: str) -> None:
    """Raises ImportError."""
    for module in _modules(kind):
        importlib.import_module(module)
    if kind == "scientific":
        from orchestra_runtime import limits

        limits.find_thread_pools()
    gc.collect()
    gc.disable()  # a collection would touch, and so copy, every page that children share
    gc.freeze()


def _modules(kind: str) -> tuple[str, ...]:
    if kind == "spark":
        from orchestra_runtime import spark_preload

        return _EVERY + spark_preload.MODULES
    return _EVERY + (_SCIENTIFIC if kind == "scientific" else ())


def check_threads() -> int:
    """One, or TooManyThreads."""
    threads = os.listdir("/proc/self/task")
    if len(threads) != 1:
        names = ", ".join(_thread_name(each) for each in threads)
        raise TooManyThreads(
            f"the fork server has {len(threads)} threads ({names}) and must have one: "
            "a library that it loaded started them (see OPENBLAS_NUM_THREADS, OMP_NUM_THREADS, JE_ARROW_MALLOC_CONF)"
        )
    return 1


def _thread_name(thread: str) -> str:
    try:
        with open(f"/proc/self/task/{thread}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "ended"
