"""Tables as Parquet, and large ones of plain numbers as Arrow files (`numbers_file`): pandas, Arrow and Polars frames in, pandas frames out.

How a pandas frame is stored:
- An index is kept as a column when it has a name, and dropped otherwise.
- Column names become text; loading gives back what they were.
- A column that mixes numbers, booleans, bytes, dates and texts is stored as text (a note says so); one that holds anything else
  that Arrow cannot has the whole frame stored as an object.
- A frame with several levels of columns, equal column names, or no columns is an object too.
"""

from __future__ import annotations

import datetime
import decimal
import numbers
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestra_runtime import numbers_file
from orchestra_runtime.records import Manifest

if TYPE_CHECKING:
    import numpy
    import pandas
    import pyarrow
    from pyarrow import parquet

ROWS = "rows.parquet"
_GROUP_BYTES = 4 * 1024 * 1024  # in memory
_GROUP_ROWS = (8 * 1024, 32 * 1024)  # a page of the API reads one group: few rows make it fast, many make the file small
_SAMPLE = 4 * 1024  # rows
_SCALARS = (str, bytes, numbers.Number, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal)


class NoTable(ValueError):
    """Looks like a table, and cannot be stored as one."""


def is_frame(value: Any) -> bool:
    """Loads no library: a frame of one that was never imported does not exist."""
    return _is(value, "pandas", "DataFrame") or _is(value, "pyarrow", "Table", "RecordBatch") or _is(value, "polars", "DataFrame")


def to_arrow(frame: Any, notes: list[str]) -> pyarrow.Table:
    """Raises NoTable, which says why. Adds to `notes` what was changed."""
    import pyarrow as pa

    if _is(frame, "pandas", "DataFrame"):
        table = _from_pandas(frame, notes)
    elif _is(frame, "polars", "DataFrame"):
        table = frame.to_arrow()
    else:
        table = pa.Table.from_batches([frame]) if isinstance(frame, pa.RecordBatch) else frame
    if not table.num_columns:
        raise NoTable("it has no columns")
    if len(set(table.column_names)) < table.num_columns:
        raise NoTable("two of its columns have the same name")
    return table


def write(table: pyarrow.Table, folder: Path, type_name: str = "") -> Manifest:
    """Writes `rows.parquet` or `rows.arrow` into `folder`. NoTable when a column's type does not go into Parquet."""
    import pyarrow as pa

    repeating = [name for name in table.column_names if _repeats(table.column(name))]
    if not repeating and numbers_file.suits(table):
        numbers_file.write(table, folder)
        return Manifest("table", (numbers_file.NAME,), type_name, fields(table.schema), table.num_rows)
    try:
        _write_parquet(table, folder / ROWS, repeating)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise NoTable(str(error)) from error
    return Manifest("table", (ROWS,), type_name, fields(table.schema), table.num_rows)


def writer(path: Path, first: pyarrow.Table) -> parquet.ParquetWriter:
    """For tables of one schema, one after the other, the first of which tells how columns are best stored. Close it."""
    import pyarrow.parquet as parquet

    repeating = [name for name in first.column_names if _repeats(first.column(name))]
    return parquet.ParquetWriter(path, first.schema, compression=_compression(first, repeating), use_dictionary=repeating, write_page_index=True)


def append(to: parquet.ParquetWriter, table: pyarrow.Table) -> None:
    to.write_table(table, row_group_size=_group_rows(table))


def _write_parquet(table: pyarrow.Table, path: Path, repeating: list[str]) -> None:
    import pyarrow.parquet as parquet

    parquet.write_table(table, path, compression=_compression(table, repeating), row_group_size=_group_rows(table), use_dictionary=repeating)


def _compression(table: pyarrow.Table, repeating: list[str]) -> str | dict[str, str]:
    """Numbers that are all different do not get smaller, only slower: writing takes 2.5 times as long, reading 4 times."""
    import pyarrow as pa

    plain = [each.name for each in table.schema if pa.types.is_floating(each.type) and each.name not in repeating]
    return {name: "none" if name in plain else "zstd" for name in table.column_names} if plain else "zstd"


def has_rows(parts: Mapping[str, Path]) -> bool:
    return ROWS in parts or numbers_file.NAME in parts


def read(parts: Mapping[str, Path], nullable: bool = False) -> pandas.DataFrame:
    """Texts are str objects; nulls are None in them, NaN among numbers: integers with nulls are floats, booleans with nulls objects. `nullable`:
    integers and booleans have the types of pandas that know nulls, with nulls or without, so that the types do not hang on the values."""
    import pyarrow.parquet as parquet

    if numbers_file.NAME in parts:
        return numbers_file.read(parts[numbers_file.NAME])
    return parquet.ParquetFile(parts[ROWS], memory_map=True).read().to_pandas(types_mapper=_mapper(nullable))


def column(parts: Mapping[str, Path], name: str, nullable: bool = False) -> pandas.Series:
    """One column, without reading the others. `name` is as stored: a text. KeyError when there is none of that name."""
    import pyarrow.parquet as parquet

    if numbers_file.NAME in parts:
        frame = numbers_file.read(parts[numbers_file.NAME])
        return frame.set_axis(frame.columns.map(str), axis=1, copy=False)[name]
    found = parquet.ParquetFile(parts[ROWS], memory_map=True).read(columns=[name], use_pandas_metadata=False)
    return found.column(name).to_pandas(types_mapper=_mapper(nullable)).rename(name)


def _mapper(nullable: bool) -> Callable[[pyarrow.DataType], pandas.api.extensions.ExtensionDtype | None] | None:
    import pandas as pd
    import pyarrow as pa

    if not nullable:
        return None
    return {
        pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
        pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(), pa.uint64(): pd.UInt64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }.get


def as_parquet(parts: Mapping[str, Path], folder: Path) -> Path:
    """The rows as a Parquet file, for readers of nothing else: the stored one, or one made in `folder`."""
    if ROWS in parts:
        return parts[ROWS]
    made = folder / ROWS
    _write_parquet(numbers_file.read_table(parts[numbers_file.NAME]), made, [])
    return made


def fields(schema: pyarrow.Schema) -> tuple[dict[str, str], ...]:
    return tuple({"name": field.name, "type": _type(field.type)} for field in schema)


def _type(kind: pyarrow.DataType) -> str:
    from pyarrow import types

    if types.is_dictionary(kind):
        return _type(kind.value_type)
    checks = (
        ("boolean", types.is_boolean),
        ("integer", types.is_integer),
        ("number", lambda each: types.is_floating(each) or types.is_decimal(each)),
        ("string", lambda each: types.is_string(each) or types.is_large_string(each) or types.is_string_view(each)),
        ("timestamp", lambda each: types.is_timestamp(each) or types.is_date(each)),
        ("list", lambda each: types.is_list(each) or types.is_large_list(each) or types.is_fixed_size_list(each)),
    )
    return next((name for name, check in checks if check(kind)), "other")


def _is(value: Any, library: str, *classes: str) -> bool:
    module = sys.modules.get(library)
    return module is not None and any(isinstance(value, getattr(module, name, ())) for name in classes)


def _group_rows(table: pyarrow.Table) -> int:
    least, most = _GROUP_ROWS
    row_bytes: int = max(1, table.nbytes // max(1, table.num_rows))
    return min(most, max(least, _GROUP_BYTES // row_bytes))


def _repeats(column: pyarrow.ChunkedArray) -> bool:
    """Whether values come often enough for a dictionary to pay. Trying one on random numbers takes four times as long as not."""
    import pyarrow as pa
    import pyarrow.compute as compute

    sample = column.slice(0, _SAMPLE)
    try:
        distinct: int = compute.count_distinct(sample).as_py()
    except pa.ArrowNotImplementedError:  # categories; and what is nested, which has no dictionary of its own
        return True
    return 2 * distinct <= len(sample)


def _from_pandas(frame: pandas.DataFrame, notes: list[str]) -> pyarrow.Table:
    import pyarrow as pa

    if frame.columns.nlevels > 1:
        raise NoTable(f"its columns have {frame.columns.nlevels} levels")
    if not frame.columns.is_unique:
        raise NoTable("two of its columns have the same name")
    try:
        return _convert(frame)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass  # maybe one of the columns mixes types
    try:
        return _convert(_with_plain_columns(frame, notes))
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise NoTable(str(error)) from error


def _convert(frame: pandas.DataFrame) -> pyarrow.Table:
    import pandas as pd
    import pyarrow as pa

    named = any(name is not None for name in frame.index.names)
    if not named and not isinstance(frame.index, pd.RangeIndex):
        frame = frame.set_axis(pd.RangeIndex(len(frame)), axis=0, copy=False)
    if not named and all(kind in ("float32", "float64") for kind in frame.dtypes):
        columns = [_plain(frame.iloc[:, index].to_numpy()) for index in range(frame.shape[1])]
        return pa.Table.from_arrays(columns, schema=pa.Schema.from_pandas(frame, preserve_index=None))
    # None: a range becomes metadata, no column. (False would lose column names that are numbers.)
    return pa.Table.from_pandas(frame, preserve_index=True if named else None, nthreads=1)


def _plain(values: numpy.ndarray[Any, Any]) -> pyarrow.Array:
    """With NaN as null; a view where there is none, which a finite sum shows in a fifth of the time that looking for each takes."""
    import numpy
    import pyarrow as pa

    with numpy.errstate(all="ignore"):
        finite = bool(numpy.isfinite(numpy.add.reduce(values)))
    return pa.array(values, from_pandas=not finite)


def _with_plain_columns(frame: pandas.DataFrame, notes: list[str]) -> pandas.DataFrame:
    """The frame, with columns that mix scalars of several kinds as text. The given one stays as it is."""
    import pandas as pd

    frame = frame.copy(deep=False)
    objects = [name for name, kind in frame.dtypes.items() if pd.api.types.is_object_dtype(kind)]
    for name in filter(lambda each: _mixes_scalars(frame[each]), objects):
        column = frame[name]
        frame[name] = [None if missing else _as_text(each) for each, missing in zip(column, column.isna(), strict=True)]
        notes.append(f"column '{name}' mixes types: stored as text")
    return frame


def _mixes_scalars(column: pandas.Series) -> bool:
    import pyarrow as pa

    try:
        pa.array(column, from_pandas=True)
        return False
    except (pa.ArrowException, OverflowError):
        return all(isinstance(each, _SCALARS) for each in column[column.notna()])


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
