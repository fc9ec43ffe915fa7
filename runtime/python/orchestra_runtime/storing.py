"""Results into files and back: what is a frame is a table, everything else an object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestra_runtime import objects, tables
from orchestra_runtime.records import Input, Manifest


def save(value: Any, folder: Path) -> tuple[Manifest, list[str]]:
    """Writes into `folder`; gives the manifest and notes for the user. Raises objects.NotStorable, MemoryError."""
    notes: list[str] = []
    name = objects.type_name(value)
    if tables.is_frame(value):
        try:
            return tables.write(tables.to_arrow(value, notes), folder, name), notes
        except tables.NoTable as why:
            notes = [f"stored as an object, not as a dataset: {why}"]
    return Manifest("object", objects.save(value, folder), name), notes


def load(reference: str, stored: Input) -> Any:
    """Raises LoadFailed, which names the reference."""
    if stored.kind == "none":
        return None
    try:
        return _load(stored)
    except MemoryError:
        raise
    except Exception as error:
        what = f"'{reference}' ({stored.type_name or stored.kind})"
        raise LoadFailed(f"{what} cannot be loaded: {type(error).__name__}: {error}") from error


def load_column(reference: str, stored: Input, column: str) -> Any:
    """One column of a table as pandas.Series, without reading the others. LookupError when there is none of that name."""
    names = [field["name"] for field in stored.fields]
    if column not in names:
        raise LookupError(f"'{reference}' has no column '{column}': it has {', '.join(names)}")
    return tables.column(stored.parts, column)


class LoadFailed(RuntimeError):
    """A stored result that this process cannot read."""


def _load(stored: Input) -> Any:
    if stored.kind in ("table", "model"):
        return tables.read(stored.parts)
    if stored.kind == "object":
        return objects.load(stored.parts[objects.PICKLE], stored.parts.get(objects.BUFFERS))
    if stored.kind == "documents":
        return json.loads(stored.parts["documents.json"].read_text(encoding="utf-8"))
    if stored.kind == "blob":
        return open(stored.parts["content"], "rb")
    raise ValueError(f"kind '{stored.kind}' is unknown to this runtime")
