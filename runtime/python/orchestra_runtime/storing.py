"""Results into files and back: what is a frame is a table, everything else an object."""

from __future__ import annotations

import json
import pickle
from typing import Any

from orchestra_runtime import objects, tables
from orchestra_runtime.records import Input, Manifest, Member


def save(value: Any, member: Member) -> tuple[Manifest, list[str]]:
    """Writes into the member's folder what the manifest does not hold itself; gives it and notes for the user. Raises objects.NotStorable, MemoryError."""
    notes: list[str] = []
    name = objects.type_name(value)
    if tables.is_frame(value):
        try:
            return tables.write(tables.to_arrow(value, notes), member.staging, name), notes
        except tables.NoTable as why:
            notes = [f"stored as an object, not as a dataset: {why}"]
    inline: dict[str, bytes] = {}
    parts = objects.save(value, lambda: member.staging, inline)
    return Manifest("object", parts, name, inline=inline), notes


def load(reference: str, stored: Input, nullable: bool = False) -> Any:
    """`nullable`: of tables, as tables.read says. Raises LoadFailed, which names the reference."""
    if stored.kind == "none":
        return None
    try:
        return _load(stored, nullable)
    except MemoryError:
        raise
    except Exception as error:
        what = f"'{reference}' ({stored.type_name or stored.kind})"
        raise LoadFailed(f"{what} cannot be loaded: {type(error).__name__}: {error}") from error


def load_column(reference: str, stored: Input, column: str, nullable: bool = False) -> Any:
    """One column of a table as pandas.Series, without reading the others. LookupError when there is none of that name."""
    names = [field["name"] for field in stored.fields]
    if column not in names:
        raise LookupError(f"'{reference}' has no column '{column}': it has {', '.join(names)}")
    return tables.column(stored.parts, column, nullable)


class LoadFailed(RuntimeError):
    """A stored result that this process cannot read."""


def _load(stored: Input, nullable: bool) -> Any:
    if stored.kind in ("table", "model"):
        return tables.read(stored.parts, nullable)
    if stored.kind == "object":
        if objects.PICKLE in stored.inline:
            return pickle.loads(stored.inline[objects.PICKLE])
        return objects.load(stored.parts[objects.PICKLE], stored.parts.get(objects.BUFFERS))
    if stored.kind == "documents":
        return json.loads(stored.parts["documents.json"].read_text(encoding="utf-8"))
    if stored.kind == "blob":
        return open(stored.parts["content"], "rb")
    raise ValueError(f"kind '{stored.kind}' is unknown to this runtime")
