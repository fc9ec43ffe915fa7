"""The step file and a result's manifest as plain values."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
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
    place: Path  # of its staging folder
    upload: Path | None = None  # the file that the request came with

    @property
    def staging(self) -> Path:
        """Its files go here. The folder is made for whoever has something to write."""
        self.place.mkdir(mode=0o700, exist_ok=True)
        return self.place


@dataclass(frozen=True, slots=True)
class Input:
    """A stored result that a request refers to."""

    kind: str  # "none", "table", "object", "model", "blob"
    parts: Mapping[str, Path]
    type_name: str = ""
    rows: int | None = None
    fields: tuple[Mapping[str, str], ...] = ()
    inline: Mapping[str, bytes] = field(default_factory=dict)  # the contents of small parts, which then have no path

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
    processes: int | None = None  # threads included


@dataclass(frozen=True, slots=True)
class Spark:
    url: str  # "sc://127.0.0.1:PORT"
    token: str
    session: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished member gives: `parts` are names of files in its staging folder, but for those in `inline`."""

    kind: str
    parts: tuple[str, ...] = ()
    type_name: str = ""
    fields: tuple[Mapping[str, str], ...] = ()
    rows: int | None = None
    inline: Mapping[str, bytes] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Of parts in files."""
        return self._described([{"name": name} for name in self.parts])

    def to_inline_json(self) -> dict[str, Any] | None:
        """With the contents of all parts; None when some are in files."""
        if not self.parts or any(name not in self.inline for name in self.parts):
            return None
        return self._described([{"name": name, "inline": b64encode(self.inline[name]).decode("ascii")} for name in self.parts])

    def _described(self, parts: list[dict[str, str]]) -> dict[str, Any]:
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
    checkpoint: Path | None = None  # a folder that outlives attempts
    spark: Spark | None = None
    modules: tuple[str, ...] = ()  # prefixes that widen what tools may call
    gpus: tuple[int, ...] | None = None  # devices that are the step's own; None: nothing is said of them
    database: str | None = None  # the URL of the connection that a request names, with its password
    environments: Path | None = None  # where environments are made
    networks: tuple[str, ...] | None = None  # private networks that URLs may lead to; None: all


def step_file(raw: Mapping[str, Any], database: str | None = None) -> StepFile:
    """`database` stands in no file. Raises KeyError, TypeError or ValueError when `raw` is no step file of version 1."""
    if raw.get("v") != 1:
        raise ValueError(f"step file has version {raw.get('v')!r}, this runtime reads version 1")
    spark, checkpoint = raw.get("spark"), raw.get("checkpoint")
    return StepFile(
        token=raw["token"],
        members=tuple(_member(each) for each in raw["members"]),
        inputs={reference: _input(each) for reference, each in (raw.get("inputs") or {}).items()},
        clock=raw.get("clock") or "",
        limits=limits_of(raw),
        checkpoint=Path(checkpoint) if checkpoint else None,
        spark=Spark(spark["url"], spark["token"], spark["session"]) if spark else None,
        modules=tuple(raw.get("modules") or ()),
        gpus=tuple(raw["gpus"]) if "gpus" in raw else None,
        database=database,
        environments=Path(raw["environments"]) if raw.get("environments") else None,
        networks=tuple(raw["networks"]) if "networks" in raw else None,
    )


def limits_of(raw: Mapping[str, Any]) -> Limits:
    """Of a step file or a start message."""
    limits = raw.get("limits") or {}
    return Limits(limits.get("memory"), float(limits.get("cpu") or 1.0), limits.get("processes"))


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
        inline={name: b64decode(content) for name, content in (raw.get("inline") or {}).items()},
    )
