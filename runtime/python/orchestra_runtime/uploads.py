"""Pre-trained models, from a file that came with the request or from a URL. They are loaded here, in a step, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchestra_runtime import download
from orchestra_runtime.records import Member
from orchestra_runtime.refusals import BadRequest, instead
from orchestra_runtime.tools import Toolbox


def is_given(member: Member) -> bool:
    return member.upload is not None or "modelURI" in member.request


def load(member: Member, toolbox: Toolbox) -> Any:
    """Raises BadRequest when the file is of no known format or holds what is no model of the tool."""
    url = member.request.get("modelURI")
    named = member.request.get("format") or Path(urlsplit(url or "").path).suffix.removeprefix(".")
    if named not in _LOADERS:
        raise BadRequest(f"format: '{named}' is no format of a model here: {instead(named, _LOADERS)}")
    path = Path(f"upload.{named}").absolute()  # in the working folder of the step
    if member.upload is not None:
        os.symlink(member.upload.absolute(), path)
    else:
        download.file(str(url), "modelURI", path)
    return _of_tool(_loaded(path, named, toolbox), named, toolbox)


def _loaded(path: Path, named: str, toolbox: Toolbox) -> Any:
    try:
        return _LOADERS[named](path, toolbox)
    except (MemoryError, BadRequest):
        raise
    except Exception as error:
        raise BadRequest(f"format: the file cannot be loaded as {named}: {type(error).__name__}: {error}") from error


def _of_tool(value: Any, named: str, toolbox: Toolbox) -> Any:
    if not toolbox.owns(type(value)):
        raise BadRequest(f"format: the {named} file holds a {type(value).__name__}, which is nothing of {toolbox.tool}")
    return value


def _keras(path: Path, toolbox: Toolbox) -> Any:
    import keras

    return keras.saving.load_model(path)


def _joblib(path: Path, toolbox: Toolbox) -> Any:
    import joblib

    return joblib.load(path)


def _skops(path: Path, toolbox: Toolbox) -> Any:
    from skops import io

    foreign = [each for each in io.get_untrusted_types(file=path) if not toolbox.trusts(each)]
    if foreign:
        raise BadRequest(f"format: the skops file has types that do not belong to {toolbox.tool}: {', '.join(sorted(foreign))}")
    return io.load(path, trusted=io.get_untrusted_types(file=path))


_LOADERS: dict[str, Callable[[Path, Toolbox], Any]] = {"keras": _keras, "joblib": _joblib, "skops": _skops}
