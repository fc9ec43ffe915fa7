"""The folder that outlives attempts, for code that saves its own state there."""

from __future__ import annotations

import os

from orchestra_runtime.job import Job

VARIABLE = "ORCHESTRA_CHECKPOINT"


def announce(job: Job) -> None:
    """Its path as an environment variable, which is absent when the step was given none."""
    if job.checkpoint is None:
        return
    os.makedirs(job.checkpoint, exist_ok=True)
    os.environ[VARIABLE] = job.checkpoint
