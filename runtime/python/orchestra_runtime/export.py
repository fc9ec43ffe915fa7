"""Operation internal/export: a stored result as the native file of a format."""

from __future__ import annotations

import tempfile
from pathlib import Path

from orchestra_runtime import tables
from orchestra_runtime.formats import FORMATS
from orchestra_runtime.job import Job
from orchestra_runtime.records import Input, Manifest
from orchestra_runtime.refusals import BadRequest, instead

CONTENT = "content"


class CannotExport(ValueError):
    """The result has no form of that format. Names both, and what there is instead."""


def run(job: Job) -> None:
    (member,) = job.members
    name, target = member.request["name"], member.staging / CONTENT
    asked = member.request.get("format")
    chosen = _write_as(job, name, asked, target) if asked else _write_naturally(job, name, target)
    facts = {"contentType": FORMATS[chosen].content_type, "fileName": f"{name.replace('@', '-')}.{chosen}"}
    job.finish(member.name, Manifest("blob", (CONTENT,)), facts)


def _write_as(job: Job, name: str, asked: str, target: Path) -> str:
    if asked not in FORMATS:
        raise BadRequest(f"format: '{asked}' is no format of results: {instead(asked, FORMATS)}")
    _write(job, name, asked, target)
    return asked


def _write_naturally(job: Job, name: str, target: Path) -> str:
    """Every object can be pickled, also a dict with something in it that JSON has no word for."""
    wanted = natural(job.input(name))
    try:
        _write(job, name, wanted, target)
        return wanted
    except CannotExport:
        target.unlink(missing_ok=True)
        _write(job, name, "pickle", target)
        return "pickle"


def natural(stored: Input) -> str:
    """The format that programs of its kind read, by what the manifest says of it."""
    if tables.has_rows(stored.parts) and stored.kind != "object":
        return "parquet"
    module, _, kind = stored.type_name.rpartition(".")
    package = module.partition(".")[0]
    if package == "keras":
        return "keras"
    if stored.type_name == "numpy.ndarray":
        return "npy"
    if not module and kind in ("dict", "list", "tuple", "str", "int", "float", "bool", "NoneType"):
        return "json"
    return "joblib" if package in ("sklearn", "xgboost", "lightgbm", "imblearn", "scipy", "numpy") else "pickle"


def _write(job: Job, name: str, wanted: str, target: Path) -> None:
    stored, chosen = job.input(name), FORMATS[wanted]
    try:
        if stored.kind == "object" and chosen.of_object:
            chosen.of_object(job.load(name), target)
        elif tables.has_rows(stored.parts) and chosen.of_rows:
            with tempfile.TemporaryDirectory() as scratch:
                chosen.of_rows(tables.as_parquet(stored.parts, Path(scratch)), target)
        else:
            raise ValueError(f"there is {', '.join(_possible(stored)) or 'no other'}")
    except MemoryError:
        raise
    except Exception as error:
        raise CannotExport(f"format: '{name}', {_described(stored)}, has no form as {wanted}: {error}") from error


def _described(stored: Input) -> str:
    return f"a {stored.type_name}" if stored.kind == "object" else f"of kind {stored.kind}"


def _possible(stored: Input) -> list[str]:
    is_object, has_rows = stored.kind == "object", tables.has_rows(stored.parts)
    return [name for name, each in FORMATS.items() if (is_object and each.of_object) or (has_rows and each.of_rows)]
