"""What a fork server of each kind loads before it forks, and what its step processes load themselves."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os

from orchestra_runtime import descriptors, limits

# Nothing that takes more than a few milliseconds; but what every step needs, so that no step waits for it.
_EVERY = ("cloudpickle", "orchestra_runtime.function", "orchestra_runtime.keeper", "orchestra_runtime.pickling")
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
    "nltk.stem",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "orchestra_runtime.tool_services",
    "orchestra_runtime.explore",
)
# A quarter of what importing TensorFlow takes. None of these starts a thread.
_BESIDE_TENSORFLOW = ("matplotlib.pyplot", "h5py", "requests", "absl.app", "google.protobuf.json_format", "optree")
# Never before the fork: with TensorFlow loaded, a fork has hung.
_AFTER_FORK = {"tensorflow": ("tensorflow", "keras")}
_DEFAULTS = {"tensorflow": {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}}
_SQL = ("pyarrow", "pyarrow.parquet", "pyarrow.compute", "adbc_driver_manager.dbapi", "orchestra_runtime.sql")
KINDS = ("bare", "scientific", "spark", "tensorflow", "sql")

_left_to_steps: tuple[str, ...] = ()


def is_heavy(kind: str) -> bool:
    """A step process of it that waits holds much memory of its own."""
    return kind in _AFTER_FORK


class TooManyThreads(RuntimeError):
    """A process with other threads must not fork: one of them may hold a lock that the child would wait for."""


def load(kind: str) -> None:
    """In the fork server. Raises ImportError, also for what steps would fail to load."""
    global _left_to_steps
    _left_to_steps = _AFTER_FORK.get(kind, ())
    for module in _left_to_steps:
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named '{module}'", name=module)
    for variable, value in _DEFAULTS.get(kind, {}).items():
        os.environ.setdefault(variable, value)
    for module in _modules(kind):
        importlib.import_module(module)
    if kind in ("scientific", "tensorflow"):
        limits.find_thread_pools()
    gc.collect()
    gc.disable()  # a collection would touch, and so copy, every page that children share
    gc.freeze()


def load_rest() -> None:
    """In a step process, after its fork; a second call does nothing. Raises ImportError."""
    global _left_to_steps
    if not _left_to_steps:
        return
    gc.disable()
    with descriptors.errors_held_back():  # TensorFlow greets whatever its log level
        for module in _left_to_steps:
            importlib.import_module(module)
    _left_to_steps = ()
    gc.freeze()  # collections of the user's garbage need not look at a million objects of TensorFlow's
    gc.enable()


def _modules(kind: str) -> tuple[str, ...]:
    if kind == "spark":
        from orchestra_runtime import spark_preload

        return _EVERY + spark_preload.MODULES
    if kind == "tensorflow":
        return _EVERY + _SCIENTIFIC + _BESIDE_TENSORFLOW
    if kind == "sql":
        return _EVERY + _SQL
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
