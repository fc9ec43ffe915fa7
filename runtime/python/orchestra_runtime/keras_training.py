"""What a step adds to the methods of a Keras model: progress, checkpoints, a log that can be read, and names for the numbers."""

from __future__ import annotations

import json
import os
from typing import Any

from orchestra_runtime import keras_models, plain, reporting
from orchestra_runtime.job import Job
from orchestra_runtime.records import Member

_LINE_PER_EPOCH = 2  # as Keras advises for logs; its own choice is a bar that is drawn over and over
_TALKING = ("fit", "evaluate", "predict")


def equipped(job: Job, member: Member, instance: Any, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the method, with what the user did not say."""
    if not keras_models.is_model(instance) or method not in _TALKING:
        return parameters
    more = {"verbose": _LINE_PER_EPOCH} | parameters
    if method == "fit":
        more["callbacks"] = [*_as_list(parameters.get("callbacks")), *_callbacks(job, member)]
    return more


def metrics(instance: Any, method: str, value: Any) -> dict[str, Any] | None:
    """By name, of what `evaluate` of a Keras model gave as a number or as a list; None for anything else."""
    if not keras_models.is_model(instance) or method != "evaluate" or isinstance(value, dict):
        return None
    return dict(instance.get_metrics_result())


def _as_list(callbacks: Any) -> list[Any]:
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []


def _callbacks(job: Job, member: Member) -> list[Any]:
    """An epoch is saved before it is told."""
    saving = [_backup(os.path.join(job.checkpoint, "keras"))] if job.checkpoint and member.request.get("checkpoint") else []
    return [*saving, _progress()]


def _progress() -> Any:
    import keras

    class Progress(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            numbers = {name: plain.number(value) for name, value in (logs or {}).items() if plain.is_number(value)}
            reporting.report({"phase": "training", "epoch": epoch + 1, "epochs": self.params.get("epochs")} | numbers)

    return Progress()


def _backup(folder: str) -> Any:
    import keras

    class Backup(keras.callbacks.BackupAndRestore):  # type: ignore[misc]
        def _load_model(self) -> None:
            """An OSError has Keras take the state before."""
            try:
                super()._load_model()
            except json.JSONDecodeError as error:
                raise OSError("the process was killed while it wrote the state of its training") from error

    return Backup(folder, double_checkpoint=True, delete_checkpoint=False)
