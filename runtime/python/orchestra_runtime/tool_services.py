"""Operations model, train, predict, evaluate, tune and transform of the two tools: the call, and what each keeps of it."""

from __future__ import annotations

from typing import Any

from orchestra_runtime import checkpoints, reporting, scores, storing, tool_calls, trials, uploads
from orchestra_runtime.job import Job
from orchestra_runtime.records import Member
from orchestra_runtime.tool_calls import Outcome


def run(job: Job) -> None:
    (member,) = job.members
    service = member.operation.partition("/")[0]
    checkpoints.announce(job)
    reporting.begin(job, member.name)
    if service == "model" and uploads.is_given(member):
        outcome = Outcome(uploads.load(member, tool_calls.toolbox(job)), "", None, 0.0)
    else:
        outcome = tool_calls.perform(job)
    _finish(job, member, service, outcome)


def _finish(job: Job, member: Member, service: str, outcome: Outcome) -> None:
    result = kept(service, outcome)
    manifest, notes = storing.save(result, member)
    facts = {"typeName": manifest.type_name} | _facts(service, outcome, result)
    if service == "tune":
        facts |= trials.best(result)
        manifest = trials.save(result, manifest, member.staging, notes)
    if notes:
        facts["notes"] = notes
    job.finish(member.name, manifest, facts)


def kept(service: str, outcome: Outcome) -> Any:
    """A method that trains may give its instance or nothing, and so may a search."""
    keeps_instance = service == "train" or (service == "tune" and outcome.value is None)
    return outcome.instance if keeps_instance and outcome.instance is not None else outcome.value


def _facts(service: str, outcome: Outcome, result: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    made = result if service == "model" else outcome.instance
    if made is not None:
        facts["class"] = type(made).__name__
    if outcome.instance is not None:
        facts["method"] = outcome.called
    if service in ("train", "tune"):
        facts["fitTime"] = round(outcome.seconds, 6)
    if service == "evaluate" and (metrics := scores.of(outcome)):
        facts["metrics"] = metrics
    return facts
