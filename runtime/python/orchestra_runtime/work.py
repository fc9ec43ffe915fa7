"""One step's work in a process that is ready for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from orchestra_runtime import limits, operations, streams, traces
from orchestra_runtime.channel import Channel
from orchestra_runtime.job import Job
from orchestra_runtime.records import StepFile, step_file


def read(message: dict[str, Any]) -> StepFile:
    """What a message says is to be done, itself or by a file."""
    if "step" in message:
        return step_file(message["step"], message.get("database"))
    with open(message["step_file"], encoding="utf-8") as file:
        return step_file(json.load(file), message.get("database"))


def do(step: StepFile, channel: Channel, groups: Sequence[str] = ()) -> None:
    """Every member has ended when it returns. `groups`: control groups that are the job's own. OSError when a result cannot be left."""
    sys.argv = [step.members[0].name if step.members else ""]
    limits.use_cores(step.limits.cpu)
    limits.use_gpus(step.gpus)
    if step.networks is not None:
        from orchestra_runtime import addresses

        addresses.restrict(step.networks)
    job = Job(step, channel, groups, streams.close_output)
    try:
        for name in {member.operation for member in step.members}:
            operations.operation(name)(job)
        _fail_rest(job, RuntimeError("the operation ended without a result"))
    except BaseException as error:  # also SystemExit and KeyboardInterrupt: a step ends by the last line of its code
        if traces.is_memory(error):
            limits.open_reserve()
        _fail_rest(job, error)


def _fail_rest(job: Job, error: BaseException) -> None:
    for member in job.open_members:
        job.fail(member.name, error)
