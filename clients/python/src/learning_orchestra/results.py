"""Results as Python values."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import httpx

from learning_orchestra import _flows, frames
from learning_orchestra._calls import Flow
from learning_orchestra.errors import ResultNotLoadable


class Picture(bytes):
    """A PNG file; notebooks show it."""

    def __repr__(self) -> str:
        return f"<Picture, {len(self)} bytes>"

    def _repr_png_(self) -> bytes:
        return bytes(self)


def load(metadata: _flows.Metadata, unpickle: bool) -> Flow[Any]:
    """A table as a DataFrame; else what the server's natural format for the result holds."""
    name = str(metadata["name"])
    if "fields" in metadata and not str(metadata["type"]).startswith("tune/"):
        return frames.frame_of((yield from _flows.content(name, "parquet")).content)
    return _value((yield from _flows.content(name)), metadata, unpickle)


def _value(response: httpx.Response, metadata: _flows.Metadata, unpickle: bool) -> Any:
    file = file_name(response) or ""
    if response.headers["Content-Type"].startswith("application/json"):
        return response.json()
    if file.endswith(".png"):
        return Picture(response.content)
    if file.endswith(".npy"):
        import numpy

        return numpy.load(io.BytesIO(response.content), allow_pickle=False)
    if str(metadata["type"]) == "dataset/generic":
        return response.content
    if file.endswith(".joblib") and unpickle:
        import joblib

        return joblib.load(io.BytesIO(response.content))
    raise ResultNotLoadable(_why(file, metadata))


def _why(file: str, metadata: _flows.Metadata) -> str:
    name, kind = metadata["name"], metadata.get("class") or metadata.get("typeName") or metadata.get("kind")
    ways = f"artifact() writes it as {file or 'a file'}"
    if file.endswith(".joblib"):
        ways += ", result(unpickle=True) loads it, which runs code that the file names: do so if you trust the server"
    return f"{name} is a {kind}: {ways}"


def file_name(response: httpx.Response) -> str | None:
    """What the server would call the file; never a path."""
    found = re.search(r'filename="([^"]*)"', response.headers.get("Content-Disposition", ""))
    name = Path(found.group(1).replace("\\", "/")).name if found else ""
    return name or None


def target(path: str | Path | None, response: httpx.Response, default: str) -> Path:
    """Where a download goes: a folder gets the server's name for the file."""
    place = Path.cwd() if path is None else Path(path)
    return place / (file_name(response) or default) if place.is_dir() else place
