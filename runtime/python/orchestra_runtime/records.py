"""The step file and a result's manifest as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Member:
    """One result that the job makes. A builder job has one per classifier, every other job just one."""

    name: str
    operation: str
    request: Mapping[str, Any]
    staging: Path  # its files go here; empty when the job starts
    upload: Path | None = None  # the file that the request came with


@dataclass(frozen=True, slots=True)
class Input:
    """A stored result that a request refers to."""

    kind: str  # "none", "table", "object", "model", "blob"
    parts: Mapping[str, Path]
    type_name: str = ""
    rows: int | None = None
    fields: tuple[Mapping[str, str], ...] = ()

    @property
    def modules(self) -> tuple[str, ...]:
        """What an environment adds: the names by which its packages are imported."""
        if self.kind != "environment":
            return ()
        return tuple(json.loads(self.parts["environment.json"].read_text(encoding="utf-8"))["modules"])


@dataclass(frozen=True, slots=True)
class Limits:
    memory: int | None = None  # bytes
    cpu: float = 1.0  # cores


@dataclass(frozen=True, slots=True)
class Spark:
    url: str  # "sc://127.0.0.1:PORT"
    token: str
    session: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished member left in its staging folder: `parts` are names of files there."""

    kind: str
    parts: tuple[str, ...] = ()
    type_name: str = ""
    fields: tuple[Mapping[str, str], ...] = ()
    rows: int | None = None

    def to_json(self) -> dict[str, Any]:
        parts = [{"name": name} for name in self.parts]
        described: dict[str, Any] = {"kind": self.kind, "typeName": self.type_name, "parts": parts}
        if self.rows is not None:
            described |= {"fields": [dict(each) for each in self.fields], "rows": self.rows}
        return described


@dataclass(frozen=True, slots=True)
class StepFile:
    token: str
    members: tuple[Member, ...]
    inputs: Mapping[str, Input]
    clock: str = ""  # RFC 3339: the time for which the step runs
    limits: Limits = field(default_factory=Limits)
    cgroup: tuple[str, ...] = ()
    checkpoint: Path | None = None  # a folder that outlives attempts
    spark: Spark | None = None
    modules: tuple[str, ...] = ()  # prefixes that widen what tools may call
    gpus: tuple[int, ...] | None = None  # devices that are the step's own; None: nothing is said of them
    environments: Path | None = None  # where environments are made


def step_file(raw: Mapping[str, Any]) -> StepFile:
    """Raises KeyError, TypeError or ValueError when `raw` is no step file of version 1."""
    if raw.get("v") != 1:
        raise ValueError(f"step file has version {raw.get('v')!r}, this runtime reads version 1")
    limits, spark, checkpoint = raw.get("limits") or {}, raw.get("spark"), raw.get("checkpoint")
    return StepFile(
        token=raw["token"],
        members=tuple(_member(each) for each in raw["members"]),
        inputs={reference: _input(each) for reference, each in (raw.get("inputs") or {}).items()},
        clock=raw.get("clock") or "",
        limits=Limits(limits.get("memory"), float(limits.get("cpu") or 1.0)),
        cgroup=tuple(raw.get("cgroup") or ()),
        checkpoint=Path(checkpoint) if checkpoint else None,
        spark=Spark(spark["url"], spark["token"], spark["session"]) if spark else None,
        modules=tuple(raw.get("modules") or ()),
        gpus=tuple(raw["gpus"]) if "gpus" in raw else None,
        environments=Path(raw["environments"]) if raw.get("environments") else None,
    )


def _member(raw: Mapping[str, Any]) -> Member:
    upload = raw.get("upload")
    return Member(raw["name"], raw["operation"], raw["request"], Path(raw["staging"]), Path(upload) if upload else None)


def _input(raw: Mapping[str, Any]) -> Input:
    return Input(
        kind=raw["kind"],
        parts={name: Path(path) for name, path in (raw.get("parts") or {}).items()},
        type_name=raw.get("typeName") or "",
        rows=raw.get("rows"),
        fields=tuple(raw.get("fields") or ()),
    )
