"""Parameters of a request as the values that they stand for: references, expressions, and texts that only look like them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestra_runtime import expressions, references, storing
from orchestra_runtime.job import Job


class BadParameter(ValueError):
    """A parameter whose value cannot be made. Names the parameter."""


def resolve(job: Job, value: Any, pointer: str) -> Any:
    """`value` with its texts resolved, in lists and dicts at any depth. `pointer` says where it stands: "functionParameters"."""
    if isinstance(value, str):
        return _text(job, value, pointer)
    if isinstance(value, list):
        return [resolve(job, each, f"{pointer}[{index}]") for index, each in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: resolve(job, each, f"{pointer}.{key}") for key, each in value.items()}
    return value


def _text(job: Job, text: str, pointer: str) -> Any:
    try:
        if references.is_reference(text):
            return _referred(job, references.parse(text))
        if references.is_expression(text):
            return expressions.evaluate(text[1:], f"<{pointer}>")
    except MemoryError:
        raise
    except Exception as error:
        raise BadParameter(f"{pointer}: '{text}': {_why(error)}") from error
    return references.unescaped(text)


def _why(error: Exception) -> str:
    message = error.args[0] if isinstance(error, LookupError) and error.args else error
    plain = isinstance(error, (LookupError, ValueError, storing.LoadFailed))
    return str(message) if plain else f"{type(error).__name__}: {message}"


def _referred(job: Job, reference: references.Reference) -> Any:
    if reference.name == references.CLOCK:
        return _time(job.clock, reference.path)
    stored = job.input(reference.name)
    if reference.path and stored.kind in ("table", "model"):
        return storing.load_column(reference.name, stored, reference.path, job.nullable)
    value = job.load(reference.name)
    return _entry(value, reference.path, reference.name) if reference.path else value


def _time(clock: str, path: str) -> str:
    if path not in ("", "date"):
        raise LookupError(f"'clock' has no entry '{path}': it is a time, and has date")
    return clock[: len("2026-01-31")] if path else clock


def _entry(value: Any, path: str, where: str) -> Any:
    """Walks `path` ("key.key") into mappings, sequences and frames. A key may itself have dots: the longest one wins."""
    keys = path.split(".")
    for end in range(len(keys), 0, -1):
        key, rest = ".".join(keys[:end]), ".".join(keys[end:])
        try:
            inner = _item(value, key)
        except (KeyError, IndexError):
            continue
        return _entry(inner, rest, f"{where}.{key}") if rest else inner
    known = list(value) if hasattr(value, "keys") else []
    has = f"it has {', '.join(map(str, known[:20]))}" if known else f"it is a {type(value).__name__}"
    raise LookupError(f"'{where}' has no entry '{keys[0]}': {has}")


def _item(value: Any, key: str) -> Any:
    if isinstance(value, (list, tuple)):
        if not key.isdecimal():
            raise KeyError(key)
        return value[int(key)]
    if not hasattr(value, "keys"):
        raise KeyError(key)
    if key in value.keys():
        return value[key]
    if key.isdecimal() and int(key) in value.keys():
        return value[int(key)]
    raise KeyError(key)
