"""Operation function/python: runs the user's code with its parameters as globals and keeps what it leaves in `response`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestra_runtime import checkpoints, download, plain, storing, usercode, values
from orchestra_runtime.job import Job

RESPONSE = "response"


class ResponseMissing(Exception):
    """The code ended without having set `response`."""


def run(job: Job) -> None:
    (member,) = job.members
    request = member.request
    checkpoints.announce(job)
    parameters = values.resolve(job, request.get("functionParameters") or {}, "functionParameters")
    response = respond(download.code(request["function"], "function"), member.name, parameters)
    manifest, notes = storing.save(response, member)
    job.finish(member.name, manifest, facts(response, manifest.type_name, notes))


def respond(code: str, name: str, parameters: Mapping[str, Any]) -> Any:
    """Runs `code` and gives its `response`. Raises what the code raises; ResponseMissing."""
    namespace = usercode.run(code, f"<function {name}>", dict(parameters))
    if RESPONSE not in namespace:
        raise ResponseMissing(f"the code of '{name}' never set `{RESPONSE}`, which becomes its result (None is one, too)")
    return namespace[RESPONSE]


def facts(response: Any, type_name: str, notes: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"typeName": type_name}
    if metrics := _metrics(response):
        found["metrics"] = metrics
    if notes:
        found["notes"] = notes
    return found


def _metrics(response: Any) -> dict[str, int | float | None]:
    """The numbers of a dict under "metrics"."""
    metrics = response.get("metrics") if isinstance(response, dict) else None
    if not isinstance(metrics, dict):
        return {}
    return {str(name): plain.number(each) for name, each in metrics.items() if plain.is_number(each)}
