"""Objects as files: object.pickle (cloudpickle, protocol 5) and buffers.bin, which holds large out-of-band buffers.

buffers.bin: magic, number of buffers (u64), then offset and size (u64 each) of every buffer, then the buffers, each at a multiple
of 64 bytes; little endian. It is mapped private when loaded: the value may be written into, the file never changes.
"""

from __future__ import annotations

import io
import mmap
import pickle
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PICKLE = "object.pickle"
BUFFERS = "buffers.bin"
MAGIC = b"LOBUF\x00\x00\x01"
ALIGNMENT = 64
SMALL = 16 * 1024  # a buffer of fewer bytes stays in the pickle
MOST_INLINE = 32 * 1024  # bytes of a pickle that needs no file


class NotStorable(TypeError):
    """A value that does not serialise."""


def save(value: Any, folder: Callable[[], Path], inline: dict[str, bytes] | None = None) -> tuple[str, ...]:
    """Writes the files into the folder that `folder` gives and gives their names. A pickle that is small and has no buffers beside it goes into `inline`, when
    that is given. Raises NotStorable, which names the type; MemoryError."""
    from orchestra_runtime.pickling import Pickler

    buffers: list[memoryview] = []
    try:
        with _Spill(lambda: folder() / PICKLE) as file:
            Pickler(file, protocol=5, buffer_callback=lambda each: _keep(each, buffers)).dump(value)
            if inline is not None and not buffers and (small := file.in_memory()) is not None:
                inline[PICKLE] = small
            else:
                file.to_disk()
    except MemoryError:
        raise
    except Exception as error:
        raise NotStorable(f"a value of type {type_name(value)} cannot be stored: {error}") from error
    if not buffers:
        return (PICKLE,)
    _write_buffers(buffers, folder() / BUFFERS)
    return (PICKLE, BUFFERS)


def load(pickled: Path, buffers: Path | None) -> Any:
    views = _map_buffers(buffers) if buffers else []
    with open(pickled, "rb") as file:
        return pickle.load(file, buffers=views)


class _Spill:
    """What a pickler writes: in memory while it has at most MOST_INLINE bytes, then a file."""

    def __init__(self, path: Callable[[], Path]) -> None:
        self._path = path
        self._memory = bytearray()
        self._file: io.BufferedWriter | None = None

    def __enter__(self) -> _Spill:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, data: bytes | memoryview) -> int:
        if self._file is None and len(self._memory) + memoryview(data).nbytes > MOST_INLINE:
            self.to_disk()
        if self._file is not None:
            return self._file.write(data)
        self._memory += data
        return memoryview(data).nbytes

    def in_memory(self) -> bytes | None:
        """All of it; None when it is on disk."""
        return bytes(self._memory) if self._file is None else None

    def to_disk(self) -> None:
        if self._file is None:
            self._file = open(self._path(), "wb")
            self._file.write(self._memory)
            self._memory.clear()


def type_name(value: Any) -> str:
    """ "sklearn.linear_model._logistic.LogisticRegression", "dict"; a class of the user's own code has no module."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"


def _keep(buffer: pickle.PickleBuffer, kept: list[memoryview]) -> bool:
    """Tells the pickler whether the buffer goes into the pickle itself."""
    try:
        view = buffer.raw()
    except BufferError:  # not contiguous
        return True
    if view.nbytes < SMALL:
        return True
    kept.append(view)
    return False


def _write_buffers(buffers: Sequence[memoryview], path: Path) -> None:
    offsets, end = [], _aligned(len(MAGIC) + 8 + 16 * len(buffers))
    for view in buffers:
        offsets.append(end)
        end = _aligned(end + view.nbytes)
    with open(path, "wb", buffering=0) as file:
        head = MAGIC + struct.pack("<Q", len(buffers))
        _write(file, head + b"".join(struct.pack("<QQ", at, view.nbytes) for at, view in zip(offsets, buffers, strict=True)))
        for at, view in zip(offsets, buffers, strict=True):
            file.seek(at)
            _write(file, view)
        file.truncate(end)


def _write(file: Any, data: bytes | memoryview) -> None:
    """The kernel takes at most 2 GB at once."""
    rest = memoryview(data)
    while rest.nbytes:
        rest = rest[file.write(rest) :]


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _map_buffers(path: Path) -> list[memoryview]:
    with open(path, "rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    if mapped[: len(MAGIC)] != MAGIC:
        raise ValueError(f"'{path.name}' does not begin as a file of buffers does")
    (count,) = struct.unpack_from("<Q", mapped, len(MAGIC))
    index = [struct.unpack_from("<QQ", mapped, len(MAGIC) + 8 + 16 * i) for i in range(count)]
    return [mapped[at : at + size] for at, size in index]
