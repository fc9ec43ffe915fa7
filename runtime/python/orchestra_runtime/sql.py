"""Operation dataset/sql: the rows of a query as a table, written while they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from orchestra_runtime import databases, tables
from orchestra_runtime.job import Job
from orchestra_runtime.records import Manifest

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow

_INTERVAL = 0.25  # seconds between two messages of progress
_ENOUGH = 8 * 1024 * 1024  # bytes in memory that are written together
_NUMBER = "_id"  # of a row, in every dataset


def run(job: Job) -> None:
    (member,) = job.members
    tell = _slowed_down(lambda written: job.progress(member.name, {"rows": written}))
    with databases.rows(job.database or "", member.request["query"]) as (schema, batches, notes):
        _check_names(schema.names)
        written = _write(schema, batches, member.staging / tables.ROWS, tell)
    fields = tables.fields(schema)
    facts = {"fields": [each["name"] for each in fields], "rows": written} | ({"notes": notes} if notes else {})
    job.finish(member.name, Manifest("table", (tables.ROWS,), "", fields, written), facts)


def _check_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise databases.QueryFailed(f"two columns are named '{name}': give one another name with AS")
        if name == _NUMBER or not name:
            raise databases.QueryFailed(f"a column is named '{name}', which no field can be: give it another name with AS")


def _write(schema: pyarrow.Schema, batches: Iterable[pyarrow.RecordBatch], path: Path, tell: Callable[[int], None]) -> int:
    """Gives the number of rows. Holds a few megabytes of them, or one batch."""
    written = 0
    writer = None
    try:
        for table in _gathered(schema, batches):
            writer = writer or tables.writer(path, table)
            tables.append(writer, table)
            written += table.num_rows
            tell(written)
    finally:
        if writer is not None:
            writer.close()
    return written


def _gathered(schema: pyarrow.Schema, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.Table]:
    """At least one table, if an empty one."""
    import pyarrow as pa

    waiting: list[pyarrow.RecordBatch] = []
    given = False
    for batch in batches:
        waiting.append(batch)
        if sum(each.nbytes for each in waiting) >= _ENOUGH:
            yield pa.Table.from_batches(waiting, schema)
            waiting, given = [], True
    if waiting or not given:
        yield pa.Table.from_batches(waiting, schema)


def _slowed_down(tell: Callable[[int], None]) -> Callable[[int], None]:
    last = 0.0

    def maybe(rows: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _INTERVAL:
            last = time.monotonic()
            tell(rows)

    return maybe
