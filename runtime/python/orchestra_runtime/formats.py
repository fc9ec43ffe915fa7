"""Native files of results: of rows (from Parquet, a group of them at a time) and of objects."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestra_runtime import plain

if TYPE_CHECKING:
    import pyarrow


class Format(NamedTuple):
    content_type: str
    of_rows: Callable[[Path, Path], object] | None = None  # takes rows.parquet and the target
    of_object: Callable[[Any, Path], object] | None = None  # takes the value and the target


def _csv(rows: Path, target: Path) -> None:
    """Lists and structures are JSON in their cells."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    file = pa.parquet.ParquetFile(rows, memory_map=True)
    schema = _flat(file.schema_arrow.empty_table()).schema
    with pa.csv.CSVWriter(target, schema) as writer:
        for group in range(file.num_row_groups):
            writer.write_table(_flat(file.read_row_group(group)))


def _flat(table: pyarrow.Table) -> pyarrow.Table:
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [None if each is None else _text(each) for each in table.column(index).to_pylist()]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
    return table


def _arrow(rows: Path, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    file = pa.parquet.ParquetFile(rows, memory_map=True)
    with pa.ipc.new_file(target, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            writer.write_batch(batch)


def _json_rows(rows: Path, target: Path) -> None:
    import pyarrow.parquet as parquet

    separator = ""
    with open(target, "w", encoding="utf-8") as file:
        file.write("[")
        for batch in parquet.ParquetFile(rows, memory_map=True).iter_batches():
            for row in batch.to_pylist():
                file.write(separator + _text(plain.jsonable(row)))
                separator = ",\n"
        file.write("]")


def _json(value: Any, target: Path) -> None:
    target.write_text(_text(_jsonable(value)), encoding="utf-8")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)


def _jsonable(value: Any) -> Any:
    """TypeError for what JSON cannot say."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _jsonable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(each) for each in value]
    if value is None or isinstance(value, (bool, str)) or plain.is_number(value):
        return plain.jsonable(value)
    raise TypeError(f"it has a {type(value).__name__}, which JSON cannot say")


def _npy(value: Any, target: Path) -> None:
    import numpy

    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        raise TypeError("it is no array")
    with open(target, "wb") as file:
        numpy.save(file, value, allow_pickle=False)


def _pickle(value: Any, target: Path) -> None:
    import cloudpickle

    target.write_bytes(cloudpickle.dumps(value))


def _joblib(value: Any, target: Path) -> None:
    import joblib

    joblib.dump(value, target)


def _skops(value: Any, target: Path) -> None:
    from skops import io

    io.dump(value, target)


def _keras(value: Any, target: Path) -> None:
    import keras

    if not isinstance(value, keras.Model):
        raise TypeError("it is no model of Keras")
    named = target.with_name("model.keras")  # the name says the format
    value.save(named)
    named.rename(target)


_BINARY = "application/octet-stream"
FORMATS = {
    "joblib": Format(_BINARY, of_object=_joblib),
    "skops": Format("application/zip", of_object=_skops),
    "keras": Format("application/zip", of_object=_keras),
    "npy": Format(_BINARY, of_object=_npy),
    "pickle": Format(_BINARY, of_object=_pickle),
    "json": Format("application/json", _json_rows, _json),
    "csv": Format("text/csv; charset=utf-8", of_rows=_csv),
    "parquet": Format("application/vnd.apache.parquet", of_rows=shutil.copyfile),
    "arrow": Format("application/vnd.apache.arrow.file", of_rows=_arrow),
}
