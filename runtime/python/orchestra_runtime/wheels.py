"""A wheel that was stored as a file without its name: the name is made anew from what the wheel says of itself."""

from __future__ import annotations

import email.parser
import re
import shutil
import zipfile
from collections.abc import Iterable
from email.message import Message
from pathlib import Path

from orchestra_runtime.records import Input
from orchestra_runtime.refusals import BadRequest


def copy(stored: Input, folder: Path, field: str) -> Path:
    """The wheel as a file that pip takes. BadRequest, naming `field`, for what is no wheel."""
    if "content" not in stored.parts:
        raise BadRequest(f"{field}: a result of kind {stored.kind} is no wheel: store the file as dataset/generic")
    try:
        with zipfile.ZipFile(stored.parts["content"]) as archive:
            name = _file_name(archive)
    except (zipfile.BadZipFile, KeyError, StopIteration) as error:
        raise BadRequest(f"{field}: the file is no wheel: {error}") from error
    return Path(shutil.copyfile(stored.parts["content"], folder / name))


def _file_name(archive: zipfile.ZipFile) -> str:
    metadata, wheel = _described(archive, "METADATA"), _described(archive, "WHEEL")
    tags = [tag.split("-") for tag in wheel.get_all("Tag", [])]
    build = [wheel["Build"]] if wheel["Build"] else []
    parts = [metadata["Name"], metadata["Version"], *build]
    return "-".join([*(_escaped(each) for each in parts), *(_merged(tag[i] for tag in tags) for i in range(3))]) + ".whl"


def _described(archive: zipfile.ZipFile, file: str) -> Message:
    entry = next(name for name in archive.namelist() if re.fullmatch(rf"[^/]+\.dist-info/{file}", name))
    return email.parser.Parser().parsestr(archive.read(entry).decode())


def _escaped(part: str) -> str:
    return re.sub(r"[^\w.+!]+", "_", part)


def _merged(tags: Iterable[str]) -> str:
    return ".".join(dict.fromkeys(tags))
