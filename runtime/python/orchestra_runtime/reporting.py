"""Progress from code that is not given the job: callbacks of libraries, searches. Goes nowhere outside of a step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from orchestra_runtime import plain
from orchestra_runtime.job import Job

MOST = 60_000  # bytes of JSON

_send: Callable[[Mapping[str, Any]], None] | None = None


def begin(job: Job, member: str) -> None:
    global _send
    _send = lambda data: job.progress(member, data)  # noqa: E731


def end() -> None:
    """The step is over."""
    global _send
    _send = None


def report(data: Mapping[str, Any]) -> None:
    """The first members come first where not all have room. Lost when nobody listens any more."""
    if _send is None:
        return
    try:
        _send(fitting(data))
    except OSError:
        pass


def fitting(data: Mapping[str, Any]) -> dict[str, Any]:
    """As many members as a message holds."""
    fits, size = {}, 2
    for key, value in plain.jsonable(dict(data)).items():
        size += len(json.dumps({key: value}).encode())
        if size > MOST:
            break
        fits[key] = value
    return fits
