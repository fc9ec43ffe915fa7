"""Tables between this process and the server: CSV with types out, Parquet over Arrow in."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from learning_orchestra._uploads import Upload
from learning_orchestra.errors import LossWarning

if TYPE_CHECKING:
    import pandas
    import pyarrow

_ROWS = 1 << 16  # in a piece of an upload


def csv_of(frame: Any) -> tuple[Upload, dict[str, str]]:
    """A pandas, Arrow or Polars frame as CSV, and the type of each field. Warns of what is lost; TypeError for columns that
    no dataset can hold."""
    import pyarrow as pa

    table, losses = _arrow(frame)
    columns, types = {}, {}
    for name in table.column_names:
        field = re.sub(r"\W", "", name)
        if field != name:
            losses.append(f"column {name!r} is named {field!r}")
        columns[name], types[field], lost = _storable(name, table.column(name))
        losses += lost
    for loss in losses:
        warnings.warn(loss, LossWarning, stacklevel=3)
    ready = pa.table(columns)
    return Upload(lambda: _pieces(ready)), types


def frame_of(content: bytes) -> pandas.DataFrame:
    """A Parquet file as pandas. Integers and booleans that have nulls stay such (Int64, boolean)."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    table = parquet.read_table(pa.BufferReader(content))
    frame: pandas.DataFrame = table.to_pandas()
    for name in frame.columns:
        column = table.column(name) if name in table.column_names else None
        if column is not None and column.null_count and (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
            frame[name] = column.to_pandas(types_mapper=_nullable().get)
    return frame


def _nullable() -> dict[Any, Any]:
    import pandas as pd
    import pyarrow as pa

    widths = {f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)}
    widths |= {f"u{name}": f"U{wide}" for name, wide in widths.items()}
    return {pa.bool_(): pd.BooleanDtype()} | {getattr(pa, name)(): pd.api.types.pandas_dtype(wide) for name, wide in widths.items()}


def _arrow(frame: Any) -> tuple[pyarrow.Table, list[str]]:
    import pyarrow as pa

    if type(frame).__module__.split(".")[0] == "pandas":
        return _from_pandas(frame)
    if hasattr(frame, "to_arrow"):  # polars
        frame = frame.to_arrow()
    return pa.table(frame), []


def _from_pandas(frame: pandas.DataFrame) -> tuple[pyarrow.Table, list[str]]:
    import pandas as pd
    import pyarrow as pa

    losses = []
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    elif not isinstance(frame.index, pd.RangeIndex):
        losses.append("the index, which has no name, is left out")
    names = [str(name) for name in frame.columns]
    columns = []
    for position, name in enumerate(names):
        try:
            columns.append(pa.array(frame.iloc[:, position], from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise TypeError(f"column {name!r} holds values of several kinds, or of one that no table has: {error}") from None
    return pa.table(columns, names=names), losses


def _storable(name: str, column: pyarrow.ChunkedArray) -> tuple[pyarrow.ChunkedArray, str, list[str]]:
    """The column as one of the five types that the server reads from text, that type, and what is lost."""
    import pyarrow as pa

    kind, is_a, losses = column.type, pa.types, []
    if is_a.is_dictionary(kind):
        column, losses = column.cast(kind.value_type), [f"column {name!r} is no category any more"]
        kind = column.type
    if is_a.is_boolean(kind):
        return column, "boolean", losses
    if is_a.is_integer(kind):
        return column.cast(pa.int64()), "integer", losses
    if is_a.is_floating(kind) or is_a.is_null(kind):
        return column.cast(pa.float64()), "number", losses
    if is_a.is_decimal(kind):
        return column.cast(pa.float64(), safe=False), "number", [*losses, f"column {name!r}: decimals become float64"]
    if is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind):
        if column.null_count:
            losses = [*losses, f"column {name!r}: null becomes the empty text"]
        return column.cast(pa.large_string()).fill_null(""), "string", losses
    if is_a.is_timestamp(kind) or is_a.is_date(kind):
        return _timestamp(name, column, losses)
    raise TypeError(f"column {name!r}: a dataset cannot hold {kind}; let a function step make the table")


def _timestamp(name: str, column: pyarrow.ChunkedArray, losses: list[str]) -> tuple[pyarrow.ChunkedArray, str, list[str]]:
    import pyarrow as pa

    zone = getattr(column.type, "tz", None)
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"))
    micros = column.cast(pa.timestamp("us", zone), safe=False)
    if not micros.cast(column.type, safe=False).equals(column):
        losses = [*losses, f"column {name!r}: times are cut to microseconds"]
    if zone is None:
        losses = [*losses, f"column {name!r}: times without a zone become UTC"]
    elif zone != "UTC":
        losses = [*losses, f"column {name!r}: the instants stay, the zone {zone} becomes UTC"]
    return micros.cast(pa.timestamp("us", "UTC")), "timestamp", losses


def _pieces(table: pyarrow.Table) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.csv

    if table.num_columns == 1:  # a null by itself would be an empty line, which is no row; as a text it is quoted
        table = pa.table({table.column_names[0]: table.column(0).cast(pa.large_string()).fill_null("")})
    for start in range(0, max(1, table.num_rows), _ROWS):
        buffer = io.BytesIO()
        pyarrow.csv.write_csv(table.slice(start, _ROWS), buffer, pyarrow.csv.WriteOptions(include_header=start == 0))
        yield buffer.getvalue()
