"""Objects as files and back. In-process."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from orchestra_runtime import objects


def test_only_what_is_small_needs_no_file(tmp_path: Path) -> None:
    for size, small in ((10, True), (objects.MOST_INLINE + 1, False), (3 * objects.MOST_INLINE, False)):
        inline: dict[str, bytes] = {}
        value = [b"x" * size, "end"]
        assert objects.save(value, lambda: tmp_path, inline) == (objects.PICKLE,)
        assert (objects.PICKLE in inline) == small and (tmp_path / objects.PICKLE).exists() == (not small)
        assert (pickle.loads(inline[objects.PICKLE]) if small else objects.load(tmp_path / objects.PICKLE, None)) == value


def _back(folder: Path, parts: tuple[str, ...]) -> Any:
    return objects.load(folder / objects.PICKLE, folder / objects.BUFFERS if objects.BUFFERS in parts else None)


@pytest.mark.parametrize("value", [None, 0, "text", [1, {"a": (2,)}], b"x" * 100_000, bytearray(b"y" * 10)])
def test_plain_values(value: Any, tmp_path: Path) -> None:
    assert _back(tmp_path, objects.save(value, lambda: tmp_path)) == value


def test_functions_are_stored_by_value(tmp_path: Path) -> None:
    factor = 3
    assert _back(tmp_path, objects.save(lambda x: factor * x, lambda: tmp_path))(2) == 6


def test_large_buffers_are_mapped_apart_and_aligned(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    value = {"a": numpy.arange(50_001, dtype="uint8"), "b": numpy.asfortranarray(numpy.ones((300, 100))), "small": numpy.ones(3)}
    parts = objects.save(value, lambda: tmp_path)
    assert parts == (objects.PICKLE, objects.BUFFERS)
    assert (tmp_path / objects.PICKLE).stat().st_size < 5_000
    back = _back(tmp_path, parts)
    for name, array in value.items():
        numpy.testing.assert_array_equal(back[name], array)
        assert back[name].flags.writeable
    assert back["a"].ctypes.data % 64 == 0 and back["b"].ctypes.data % 64 == 0


def test_writing_into_what_was_loaded_changes_no_file(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    parts = objects.save(numpy.zeros(10_000), lambda: tmp_path)
    before = (tmp_path / objects.BUFFERS).read_bytes()
    (tmp_path / objects.BUFFERS).chmod(0o400)
    back = _back(tmp_path, parts)
    back[:] = 1
    assert (tmp_path / objects.BUFFERS).read_bytes() == before
    assert _back(tmp_path, parts).sum() == 0


def test_what_was_read_only_stays_so(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    array = numpy.zeros(10_000)
    array.flags.writeable = False
    assert not _back(tmp_path, objects.save(array, lambda: tmp_path)).flags.writeable


@pytest.mark.parametrize("columns", [3, 1])
def test_frames_as_objects(columns: int, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({f"c{number}": range(5_000) for number in range(columns)})
    back = _back(tmp_path, objects.save(frame, lambda: tmp_path))
    pandas.testing.assert_frame_equal(back, frame)
    back.iloc[0, 0] = 7  # pandas raises here when its memory is read-only


def test_what_does_not_serialise_names_its_type(tmp_path: Path) -> None:
    with pytest.raises(objects.NotStorable, match="a value of type dict cannot be stored: cannot pickle '_thread.lock' object"):
        objects.save({"lock": threading.Lock()}, lambda: tmp_path)


def test_memory_errors_stay_what_they_are(tmp_path: Path) -> None:
    class Greedy:
        def __reduce__(self) -> Any:
            raise MemoryError

    with pytest.raises(MemoryError):
        objects.save(Greedy(), lambda: tmp_path)


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / objects.PICKLE).write_bytes(pickle.dumps(1))
    (tmp_path / objects.BUFFERS).write_bytes(b"something else, long enough to be read")
    with pytest.raises(ValueError, match="buffers.bin"):
        _back(tmp_path, (objects.PICKLE, objects.BUFFERS))
