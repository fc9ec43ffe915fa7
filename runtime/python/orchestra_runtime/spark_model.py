"""Fitted Spark models as one file: the folder that Spark writes, zipped."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

FILE = "model.zip"
_FOLDER = "model"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can say: the same files make the same archive


class NotShared(RuntimeError):
    """The Spark server wrote, and nothing arrived: it does not see this file system."""


def save(model: Any, staging: Path) -> None:
    """Leaves `model.zip` in the staging folder. The Spark server must see that folder: NotShared."""
    folder = staging / _FOLDER
    model.write().overwrite().save(f"file:{folder}")
    if not folder.is_dir():
        raise NotShared(f"the Spark server saved a {type(model).__name__}, but not into {folder}: it must share this file system")
    archive(folder, staging / FILE)
    shutil.rmtree(folder)


def archive(folder: Path, target: Path) -> None:
    """All files below `folder` but Hadoop's checksums of them, in the order of their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".crc"))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            packed.writestr(_entry(path.relative_to(folder)), path.read_bytes())


def _entry(name: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name.as_posix(), _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry
