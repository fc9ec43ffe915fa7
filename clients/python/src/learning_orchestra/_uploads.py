"""Bodies that are sent piece by piece: files, bytes, tables."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import anyio.to_thread

PIECE = 1 << 20

Source = str | os.PathLike[str] | bytes | BinaryIO


@dataclass(frozen=True)
class Upload:
    """`open` gives the pieces anew each time, unless the source can be read only once."""

    open: Callable[[], Iterator[bytes]]
    size: int | None = None
    repeatable: bool = True

    async def aopen(self) -> AsyncIterator[bytes]:
        """The pieces, each made in a thread, so that the event loop never waits for the disk."""
        pieces = self.open()
        while (piece := await anyio.to_thread.run_sync(next, pieces, None)) is not None:
            yield piece


def is_url(source: object) -> bool:
    return isinstance(source, str) and "://" in source


def upload_of(source: Source) -> Upload:
    """Of a path, of bytes, or of an open binary file."""
    if isinstance(source, (bytes, bytearray)):
        content = bytes(source)
        return Upload(lambda: iter([content] if content else []), len(content))
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return Upload(lambda: _read_path(path), path.stat().st_size)
    file = source
    return Upload(lambda: _read(file), None, repeatable=False)


def _read_path(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _read(file)


def _read(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
