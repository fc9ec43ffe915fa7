"""Queries of SQLite as batches, and what is made of PostgreSQL's types. In-process; a PostgreSQL server is asked by tests/test_dataset_sql.py."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

from orchestra_runtime import databases, sql, tables  # noqa: E402


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "a b.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (i, r, s, b, mixed, none, late)")
        rows = [(i, i if i % 2 else i / 2, str(i), b"x", [1, 2.5, "t", b"by"][i % 4], None, "end" if i == 39_999 else None) for i in range(40_000)]
        database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()
    return f"sqlite:///{tmp_path}/a%20b.db"


def _asked(url: str, query: str) -> pyarrow.Table:
    with databases.rows(url, query) as (schema, batches, _):
        return pyarrow.Table.from_batches(list(batches), schema)


def test_a_column_has_the_type_that_all_its_values_have(url: str) -> None:
    asked = _asked(url, "SELECT * FROM t")
    kinds = {"i": pyarrow.int64(), "r": pyarrow.float64(), "s": pyarrow.string(), "b": pyarrow.binary(), "mixed": pyarrow.string(), "none": pyarrow.string(),
             "late": pyarrow.string()}
    assert dict(zip(asked.schema.names, asked.schema.types, strict=True)) == kinds
    assert asked.num_rows == 40_000
    assert asked.slice(0, 4)["mixed"].to_pylist() == ["1", "2.5", "t", "by"]
    assert asked["late"].null_count == 39_999 and asked["late"][39_999].as_py() == "end"


def test_batches_are_small_whatever_the_table(url: str) -> None:
    with databases.rows(url, "SELECT i FROM t") as (_, batches, _):
        assert [batch.num_rows for batch in batches] == [16_384, 16_384, 7_232]


def test_what_is_written_has_several_groups_and_tells_of_each(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_ENOUGH", 100_000)
    told: list[int] = []
    with databases.rows(url, "SELECT i, s FROM t ORDER BY i") as (schema, batches, _):
        assert sql._write(schema, batches, tmp_path / tables.ROWS, told.append) == 40_000
    file = parquet.ParquetFile(tmp_path / tables.ROWS)
    assert told == [16_384, 32_768, 40_000] and file.num_row_groups == 3
    assert file.read().column("i").to_pylist() == list(range(40_000))


@pytest.mark.parametrize("query", ["INSERT INTO t (i) VALUES (1) RETURNING i", "DROP TABLE t", "ATTACH '{folder}/new.db' AS n", "PRAGMA writable_schema = 1", "VACUUM INTO '{folder}/new.db'"])
def test_nothing_is_changed(url: str, query: str, tmp_path: Path) -> None:
    with pytest.raises(databases.QueryFailed):
        _asked(url, query.format(folder=tmp_path))
    assert not (tmp_path / "new.db").exists()
    assert _asked(url, "SELECT count(*) AS n FROM t").to_pylist() == [{"n": 40_000}]


@pytest.mark.parametrize("query, text", [("", "is empty"), (" ; ", "is empty"), ("COMMIT", "must be a SELECT"), ("SELECT 1; SELECT 2", "one statement")])
def test_what_is_no_query(url: str, query: str, text: str) -> None:
    with pytest.raises(databases.QueryFailed, match=text):
        _asked(url, query)


@pytest.mark.parametrize("names, text", [(["a", "b", "a"], "'a'"), (["_id"], "'_id'"), ([""], "''")])
def test_names_that_no_field_can_have(names: list[str], text: str) -> None:
    with pytest.raises(databases.QueryFailed, match=text):
        sql._check_names(names)


@pytest.mark.parametrize("modifier, kind", [(-1, None), ((10 << 16 | 2) + 4, pyarrow.decimal128(10, 2)), ((38 << 16) + 4, pyarrow.decimal128(38, 0)),
                                            ((39 << 16) + 4, None), ((3 << 16 | 5) + 4, None)])
def test_a_numeric_with_a_precision_is_a_decimal(modifier: int, kind: pyarrow.DataType | None) -> None:
    assert databases._decimal(modifier) == kind


def test_what_a_database_says_has_no_password() -> None:
    url = "postgresql://ada:ses%40me@db/shop"
    said = databases._said(OSError(f'IO: cannot connect to {url}, ada with "ses@me" or ses%40me. SQLSTATE: 1'), url)
    assert said == 'IO: cannot connect to …, ada with "…" or …'
    assert databases._said(ValueError('[libpq] x: ERROR:  column "n" does not exist\nLINE 1: select n\n\nQuery was: secret'), url) == (
        'column "n" does not exist LINE 1: select n')
