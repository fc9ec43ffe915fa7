"""Operation internal/export: a stored result as the native file of a format."""

from __future__ import annotations

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
    name, wanted = member.request["name"], member.request["format"]
    if wanted not in FORMATS:
        raise BadRequest(f"format: '{wanted}' is no format of results: {instead(wanted, FORMATS)}")
    _write(job, name, wanted, member.staging / CONTENT)
    facts = {"contentType": FORMATS[wanted].content_type, "fileName": f"{name.replace('@', '-')}.{wanted}"}
    job.finish(member.name, Manifest("blob", (CONTENT,)), facts)


def _write(job: Job, name: str, wanted: str, target: Path) -> None:
    stored, chosen = job.input(name), FORMATS[wanted]
    try:
        if stored.kind == "object" and chosen.of_object:
            chosen.of_object(job.load(name), target)
        elif tables.ROWS in stored.parts and chosen.of_rows:
            chosen.of_rows(stored.parts[tables.ROWS], target)
        else:
            raise ValueError(f"there is {', '.join(_possible(stored)) or 'no other'}")
    except MemoryError:
        raise
    except Exception as error:
        raise CannotExport(f"format: '{name}', {_described(stored)}, has no form as {wanted}: {error}") from error


def _described(stored: Input) -> str:
    return f"a {stored.type_name}" if stored.kind == "object" else f"of kind {stored.kind}"


def _possible(stored: Input) -> list[str]:
    is_object, has_rows = stored.kind == "object", tables.ROWS in stored.parts
    return [name for name, each in FORMATS.items() if (is_object and each.of_object) or (has_rows and each.of_rows)]
