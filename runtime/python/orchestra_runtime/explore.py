"""Operations explore/scikitlearn and explore/tensorflow: what the call gave, as a picture."""

from __future__ import annotations

from typing import Any

from orchestra_runtime import objects, pictures, reporting, tool_calls, values
from orchestra_runtime.job import Job
from orchestra_runtime.records import Manifest, Member
from orchestra_runtime.tool_calls import Outcome

CONTENT = "content"


def run(job: Job) -> None:
    (member,) = job.members
    request = member.request
    options = pictures.Options.of(request.get("figure"), values.resolve(job, request.get("hue"), "hue"))
    pictures.prepare(options)
    reporting.begin(job, member.name)
    outcome = tool_calls.perform(job) if "modulePath" in request or request.get("method") else _stored(job, request["parentName"])
    picture = pictures.draw(outcome.value, options, outcome.called)
    (member.staging / CONTENT).write_bytes(picture.png)
    job.finish(member.name, Manifest("blob", (CONTENT,), "image/png"), _facts(member, outcome, picture.notes))


def _stored(job: Job, name: str) -> Outcome:
    """Without a method it is the stored value itself that is drawn."""
    return Outcome(job.load(name), "", None, 0.0)


def _facts(member: Member, outcome: Outcome, notes: list[str]) -> dict[str, Any]:
    name = type(outcome.instance).__name__ if outcome.instance is not None else member.request.get("class")
    facts = {"class": name, "method": member.request.get("method"), "typeName": objects.type_name(outcome.value), "notes": notes}
    return {key: value for key, value in facts.items() if value}
