"""A query's rows as Arrow batches, one after the other, from SQLite and PostgreSQL. Both are asked to change nothing.

PostgreSQL: ADBC's driver, which reads the answer of COPY while it comes. SQLite: Python's own module. (ADBC's driver for SQLite takes a column's type from
the first thousand rows and fails where a later one is of another, also when all those were null.)

Types of PostgreSQL: `numeric(p, s)` is a decimal number with all its digits, `numeric` without a precision a 64-bit number; json and uuid are texts.
Of SQLite, where each value has a type of its own: integer, real or blob where all values of a column are that, real where they are integer and real, else text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import sqlite3

    import pyarrow

_SQLITE = "sqlite:///"
_FETCH = 16 * 1024  # rows
_MOST_DIGITS = 38
_TYPE, _MODIFIER = b"POSTGRESQL:type", b"POSTGRESQL:typmod"
_NO_ROWS = "the query gives no rows: it must be a SELECT"


class QueryFailed(RuntimeError):
    """What the database says, without any password."""


@contextmanager
def rows(url: str, query: str) -> Iterator[tuple[pyarrow.Schema, Iterable[pyarrow.RecordBatch], list[str]]]:
    """The columns, the batches, and notes for the user. Raises QueryFailed, also from the batches."""
    query = query.strip().rstrip(";").rstrip()
    if not query:
        raise QueryFailed("the query is empty: it must be a SELECT")
    query += "\n"  # a comment at its end, and what the drivers put behind it
    try:
        opened = _sqlite(url, query) if url.startswith(_SQLITE) else _postgresql(url, query)
        with opened as (schema, batches, notes):
            yield schema, _telling(batches, url), notes
    except QueryFailed:
        raise
    except Exception as error:
        if not _is_of_database(error):
            raise
        raise QueryFailed(_said(error, url)) from None  # the chain would show what is taken out of the text


def _telling(batches: Iterable[pyarrow.RecordBatch], url: str) -> Iterator[pyarrow.RecordBatch]:
    try:
        yield from batches
    except Exception as error:
        if isinstance(error, QueryFailed) or not _is_of_database(error):
            raise
        raise QueryFailed(_said(error, url)) from None


def _is_of_database(error: Exception) -> bool:
    return type(error).__module__.split(".")[0] in ("sqlite3", "adbc_driver_manager", "pyarrow") or isinstance(error, OSError)


# --- PostgreSQL ---


@contextmanager
def _postgresql(url: str, query: str) -> Iterator[tuple[pyarrow.Schema, Iterable[pyarrow.RecordBatch], list[str]]]:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        if not len(cursor.adbc_execute_schema(query)):  # not run yet: DO and COPY would do more than a query may
            raise QueryFailed(_NO_ROWS)
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        notes: list[str] = []
        schema = _stored_schema(reader.schema, notes)
        yield schema, (_stored(batch, schema) for batch in reader), notes


def _stored_schema(schema: pyarrow.Schema, notes: list[str]) -> pyarrow.Schema:
    import pyarrow as pa

    return pa.schema([pa.field(field.name, _stored_type(field, notes)) for field in schema])


def _stored_type(field: pyarrow.Field, notes: list[str]) -> pyarrow.DataType:
    import pyarrow as pa

    theirs = (field.metadata or {}).get(_TYPE, b"").decode()
    if theirs == "numeric":
        decimal = _decimal(int((field.metadata or {}).get(_MODIFIER, b"-1")))
        if decimal is None:
            notes.append(f"column '{field.name}' is numeric without a precision: stored as 64-bit numbers; {field.name}::text keeps all digits")
        return decimal or pa.float64()
    if theirs in ("json", "jsonb", "uuid"):
        return pa.string()
    if not _is_storable(field.type):
        raise QueryFailed(f"column '{field.name}' is of the type {theirs or field.type}, which no dataset has: select {field.name}::text instead")
    return field.type


def _decimal(modifier: int) -> pyarrow.DataType | None:
    """Of numeric(p, s), as the catalog of PostgreSQL codes it; None without p, and where it does not go into 128 bits."""
    import pyarrow as pa

    if modifier < 4:
        return None
    precision, scale = (modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF
    return pa.decimal128(precision, scale) if 0 < precision <= _MOST_DIGITS and scale <= precision else None


def _is_storable(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    if types.is_nested(kind):
        return all(_is_storable(kind.field(index).type) for index in range(kind.num_fields))
    return not isinstance(kind, _extension_type()) and not types.is_interval(kind)


def _extension_type() -> Any:
    import pyarrow as pa

    return pa.BaseExtensionType


def _stored(batch: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([_column(column, field) for column, field in zip(batch.columns, schema, strict=True)], schema=schema)


def _column(column: pyarrow.Array, field: pyarrow.Field) -> pyarrow.Array:
    import pyarrow as pa

    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    if isinstance(column.type, pa.UuidType):
        return pa.array([None if each is None else str(each) for each in column.to_pylist()], pa.string())
    try:
        return column.storage.cast(field.type)
    except pa.ArrowInvalid as error:  # NaN as a decimal
        raise QueryFailed(f"column '{field.name}': {error}; select {field.name}::float8 or {field.name}::text instead") from None


# --- SQLite ---


@contextmanager
def _sqlite(url: str, query: str) -> Iterator[tuple[pyarrow.Schema, Iterable[pyarrow.RecordBatch], list[str]]]:
    import sqlite3
    from contextlib import closing
    from urllib.parse import quote

    path = unquote(url.removeprefix(_SQLITE))
    with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.set_authorizer(_may)
        connection.execute("BEGIN")  # both passes see the same
        kinds = _kinds(connection.execute(query))
        schema = _sqlite_schema(kinds)
        yield schema, _sqlite_batches(connection.execute(query), schema), []


def _may(action: int, *_: str | None) -> int:
    """A file that is only read could still attach another, which would be made."""
    import sqlite3

    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_TRANSACTION)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _fetched(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while rows := cursor.fetchmany(_FETCH):
        yield rows


def _kinds(cursor: sqlite3.Cursor) -> list[tuple[str, set[type]]]:
    """The columns, and which types the values of each have."""
    if cursor.description is None:
        raise QueryFailed(_NO_ROWS)
    found: list[set[type]] = [set() for _ in cursor.description]
    for rows in _fetched(cursor):
        for kinds, values in zip(found, zip(*rows, strict=True), strict=True):
            kinds.update(map(type, values))
    return [(column[0], kinds - {type(None)}) for column, kinds in zip(cursor.description, found, strict=True)]


def _sqlite_schema(columns: list[tuple[str, set[type]]]) -> pyarrow.Schema:
    import pyarrow as pa

    def stored(kinds: set[type]) -> pyarrow.DataType:
        if kinds == {int}:
            return pa.int64()
        if kinds and kinds <= {int, float}:
            return pa.float64()
        return pa.binary() if kinds == {bytes} else pa.string()

    return pa.schema([pa.field(name, stored(kinds)) for name, kinds in columns])


def _sqlite_batches(cursor: sqlite3.Cursor, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow as pa

    for rows in _fetched(cursor):
        columns = [_as_texts(values) if pa.types.is_string(field.type) else values for field, values in zip(schema, zip(*rows, strict=True), strict=True)]
        yield pa.RecordBatch.from_arrays([pa.array(values, field.type) for field, values in zip(schema, columns, strict=True)], schema=schema)


def _as_texts(values: tuple[Any, ...]) -> list[str | None]:
    return [each if each is None or isinstance(each, str) else each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in values]


# --- Errors ---


def _said(error: Exception, url: str) -> str:
    """The database's own words: what the driver puts around them names the whole query again."""
    text = str(error)
    if "ERROR:" in text:
        text = text.partition("ERROR:")[2].partition("Query was:")[0]
    text = text.partition("SQLSTATE:")[0]
    return " ".join(_without_secrets(text, url).split()).rstrip(" .") or type(error).__name__


def _without_secrets(text: str, url: str) -> str:
    password = urlsplit(url).password
    for secret in filter(None, (url, password, unquote(password or ""))):
        text = text.replace(secret, "…")
    return text
