"""Frames as Parquet and back. In-process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

from orchestra_runtime import storing, tables  # noqa: E402
from orchestra_runtime.records import Input, Manifest, Member  # noqa: E402


def _save(value: Any, folder: Path) -> tuple[Manifest, list[str]]:
    return storing.save(value, Member("f", "function/python", {}, folder))


def _back(manifest: Manifest, folder: Path) -> Any:
    stored = Input(manifest.kind, {name: folder / name for name in manifest.parts}, fields=manifest.fields, rows=manifest.rows, inline=manifest.inline)
    return storing.load("x", stored)


ROUND_TRIPS = {
    "numbers and texts": {"i": [1, 2], "f": [0.5, None], "s": ["a", None], "b": [True, False]},
    "dates": {"t": pandas.to_datetime(["2020-01-01", None]), "z": pandas.to_datetime(["2020-01-01"] * 2, utc=True)},
    "categories": {"c": pandas.Categorical(["x", "y"], categories=["y", "x", "z"])},
    "lists": {"l": [[1.0], [2.0, 3.0]]},
    "nullable": {"i": pandas.array([1, None], dtype="Int64")},
    "names that are numbers": {0: [1, 2], 1: ["a", "b"]},
    "no rows": {"a": pandas.Series([], dtype="int64"), "s": pandas.Series([], dtype="object")},
    "timedelta": {"d": pandas.to_timedelta([1, 2], unit="s")},
}


@pytest.mark.parametrize("columns", ROUND_TRIPS.values(), ids=ROUND_TRIPS.keys())
def test_frames_come_back_as_they_were(columns: dict[Any, Any], tmp_path: Path) -> None:
    frame = pandas.DataFrame(columns)
    before = frame.copy(deep=True)
    manifest, notes = _save(frame, tmp_path)
    assert manifest.kind == "table" and notes == [] and manifest.rows == len(frame)
    back = _back(manifest, tmp_path)
    if "l" in columns:
        back["l"] = back["l"].map(list)
    pandas.testing.assert_frame_equal(back, frame)
    pandas.testing.assert_frame_equal(frame, before)


INTEGERS = {f"{sign}int{bits}": pyarrow.array([1, None], f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)}


def _stored_nulls(folder: Path) -> Input:
    table = pyarrow.table(INTEGERS | {"b": [True, None], "f": [0.5, None], "s": ["x", None], "whole": [2**53 + 1, 2]})
    manifest, _ = _save(table, folder)
    return Input(manifest.kind, {name: folder / name for name in manifest.parts}, fields=manifest.fields, rows=manifest.rows)


def test_integers_with_nulls_are_floats_unless_types_that_know_nulls_are_asked_for(tmp_path: Path) -> None:
    stored = _stored_nulls(tmp_path)
    plain, asked = storing.load("x", stored), storing.load("x", stored, nullable=True)
    assert [str(kind) for kind in plain.dtypes] == ["float64"] * 8 + ["object", "float64", "object", "int64"]
    assert [str(kind).lower() for kind in asked.dtypes] == [*INTEGERS, "boolean", "float64", "object", "int64"]
    assert str(asked.dtypes["whole"]) == "Int64" and asked["whole"].tolist() == [2**53 + 1, 2]
    assert asked["int64"][1] is pandas.NA and asked["b"][0] and asked["b"][1] is pandas.NA


def test_a_column_has_the_types_that_its_table_has(tmp_path: Path) -> None:
    stored = _stored_nulls(tmp_path)
    for nullable in (False, True):
        frame = storing.load("x", stored, nullable)
        for name in frame:
            pandas.testing.assert_series_equal(storing.load_column("x", stored, name, nullable), frame[name])


def test_a_frame_of_pandas_has_types_that_know_nulls_when_asked_for(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"i": [1, 2], "b": [True, False], "f": [0.5, None]}, index=pandas.Index(["a", "b"], name="key"))
    manifest, _ = _save(frame, tmp_path)
    stored = Input(manifest.kind, {name: tmp_path / name for name in manifest.parts}, fields=manifest.fields, rows=manifest.rows)
    pandas.testing.assert_frame_equal(storing.load("x", stored, nullable=True), frame.astype({"i": "Int64", "b": "boolean"}))


def test_fields_name_the_types(tmp_path: Path) -> None:
    table = pyarrow.table({
        "string": pyarrow.array(["x"], pyarrow.large_string()), "number": pyarrow.array([1], pyarrow.decimal128(5, 2)),
        "integer": pyarrow.array([1], pyarrow.uint8()), "boolean": [True], "timestamp": pyarrow.array([0], pyarrow.date32()),
        "list": [[1]], "other": [b"x"],
    })
    manifest, _ = _save(table, tmp_path)
    assert [(field["name"], field["type"]) for field in manifest.fields] == [(name, name) for name in table.column_names]
    assert manifest.type_name == "pyarrow.lib.Table"


def test_index_is_kept_when_it_has_a_name(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"x": [1, 2]}, index=pandas.Index(["a", "b"], name="key"))
    manifest, _ = _save(frame, tmp_path)
    assert [field["name"] for field in manifest.fields] == ["x", "key"]
    pandas.testing.assert_frame_equal(_back(manifest, tmp_path), frame)


def test_index_without_a_name_is_dropped(tmp_path: Path) -> None:
    manifest, _ = _save(pandas.DataFrame({"x": [1, 2, 3]})[lambda frame: frame.x > 1], tmp_path)
    assert _back(manifest, tmp_path).index.tolist() == [0, 1]
    assert len(manifest.fields) == 1


@pytest.mark.filterwarnings("ignore:The DataFrame has column names of mixed type")
def test_a_column_of_mixed_scalars_becomes_text(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"m": [1, "a", 2.5, None, b"z"], "x": range(5), 7: [1, "b", None, 1, 1]})
    before = frame.copy(deep=True)
    manifest, notes = _save(frame, tmp_path)
    assert manifest.kind == "table"
    assert notes == ["column 'm' mixes types: stored as text", "column '7' mixes types: stored as text"]
    assert _back(manifest, tmp_path)["m"].tolist() == ["1", "a", "2.5", None, "z"]
    pandas.testing.assert_frame_equal(frame, before)


class Thing:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)


@pytest.mark.parametrize(("frame", "why"), [
    (pandas.DataFrame({"o": [Thing(), Thing()]}), "Thing"),
    (pandas.DataFrame([[1, 2]], columns=pandas.MultiIndex.from_tuples([("a", "b"), ("a", "c")])), "2 levels"),
    (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "same name"),
    (pandas.DataFrame(index=range(3)), "no columns"),
    (pandas.DataFrame({"c": [1 + 2j]}), "complex"),
], ids=["objects", "levels", "equal names", "no columns", "complex"])
def test_a_frame_that_arrow_cannot_hold_is_an_object_with_a_note(frame: Any, why: str, tmp_path: Path) -> None:
    manifest, notes = _save(frame, tmp_path)
    assert manifest.kind == "object" and len(notes) == 1
    assert notes[0].startswith("stored as an object, not as a dataset: ") and why in notes[0]
    pandas.testing.assert_frame_equal(_back(manifest, tmp_path), frame)
    assert list(manifest.inline) == list(manifest.parts) == ["object.pickle"]


def test_an_empty_structure_is_an_object(tmp_path: Path) -> None:
    """Parquet has no groups without members."""
    manifest, _ = _save(pyarrow.table({"s": pyarrow.array([{}], pyarrow.struct([]))}), tmp_path)
    assert manifest.kind == "object" and not (tmp_path / tables.ROWS).exists()


def test_arrow_batches_are_tables(tmp_path: Path) -> None:
    manifest, _ = _save(pyarrow.RecordBatch.from_pydict({"a": [1, 2]}), tmp_path)
    assert manifest.kind == "table" and manifest.rows == 2


def test_series_and_arrays_are_objects(tmp_path: Path) -> None:
    for number, value in enumerate([pandas.Series([1]), numpy.ones(3)]):
        (tmp_path / str(number)).mkdir()
        assert _save(value, tmp_path / str(number))[0].kind == "object"


@pytest.mark.parametrize(("columns", "most"), [(1, 32 * 1024), (90, 8 * 1024)])
def test_row_groups_are_small_enough_for_a_page(columns: int, most: int, tmp_path: Path) -> None:
    _save(pandas.DataFrame({f"c{number}": numpy.arange(70_000) for number in range(columns)}), tmp_path)
    file = parquet.ParquetFile(tmp_path / tables.ROWS)
    assert file.metadata.row_group(0).num_rows in range(most // 2, most + 1)


def test_numbers_that_do_not_repeat_are_not_compressed(tmp_path: Path) -> None:
    _save(pandas.DataFrame({"number": numpy.random.default_rng(1).random(10_000), "text": list(map(str, range(10_000))),
                            "rating": [1.0, 2.0] * 5_000}), tmp_path)
    group = parquet.ParquetFile(tmp_path / tables.ROWS).metadata.row_group(0)
    assert [group.column(index).compression for index in range(3)] == ["UNCOMPRESSED", "ZSTD", "ZSTD"]


def test_dictionaries_where_values_repeat(tmp_path: Path) -> None:
    table = pyarrow.table({"a.b": ["x", "y"] * 5_000, "unique": list(map(str, range(10_000))), "random": numpy.arange(1e4),
                           "category": pyarrow.array(["x"] * 10_000).dictionary_encode(), "none": [None] * 10_000})
    _save(table, tmp_path)
    group = parquet.ParquetFile(tmp_path / tables.ROWS).metadata.row_group(0)
    encoded = {group.column(index).path_in_schema: group.column(index).has_dictionary_page for index in range(5)}
    assert encoded == {"a.b": True, "unique": False, "random": False, "category": True, "none": True}


def test_one_column_is_read_alone(tmp_path: Path) -> None:
    manifest, _ = _save(pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}), tmp_path)
    stored = Input("table", {name: tmp_path / name for name in manifest.parts}, fields=manifest.fields)
    pandas.testing.assert_series_equal(storing.load_column("t", stored, "b"), pandas.Series(["x", "y"], name="b"))
    with pytest.raises(LookupError, match="'t' has no column 'c': it has a, b"):
        storing.load_column("t", stored, "c")


def _numbers(kind: str = "float64") -> Any:
    return pandas.DataFrame(numpy.random.default_rng(33).random((700_000, 4)).astype(kind), columns=list("abcd"))


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_many_plain_numbers_are_an_arrow_file(kind: str, tmp_path: Path) -> None:
    frame = _numbers(kind).set_axis([7, 8, 9, 10], axis=1)
    manifest, notes = _save(frame, tmp_path)
    assert (manifest.kind, manifest.parts, manifest.rows, notes) == ("table", ("rows.arrow",), 700_000, [])
    assert [each["name"] for each in manifest.fields] == ["7", "8", "9", "10"]
    back = _back(manifest, tmp_path)
    pandas.testing.assert_frame_equal(back, frame)
    stored = Input("table", {"rows.arrow": tmp_path / "rows.arrow"}, fields=manifest.fields)
    pandas.testing.assert_series_equal(storing.load_column("t", stored, "7"), frame[7].rename("7"))
    assert parquet.read_table(tables.as_parquet(stored.parts, tmp_path)).equals(pyarrow.ipc.open_file(tmp_path / "rows.arrow").read_all())


def test_what_is_written_into_a_mapped_frame_stays_there(tmp_path: Path) -> None:
    manifest, _ = _save(_numbers(), tmp_path)
    changed = _back(manifest, tmp_path)
    changed.iloc[5, 2] = 42.0
    changed["b"].to_numpy()[0] = 43.0
    changed += 1
    assert changed.iloc[5, 2] == 43.0 and changed.iloc[0, 1] == 44.0
    pandas.testing.assert_frame_equal(_back(manifest, tmp_path), _numbers())
    again = tmp_path / "again"
    again.mkdir()
    assert _save(changed, again)[0].parts == ("rows.arrow",)
    pandas.testing.assert_frame_equal(_back(manifest, again), changed)


@pytest.mark.parametrize("change", [
    lambda frame: frame.set_index("b"), lambda frame: frame.assign(b=numpy.arange(len(frame))), lambda frame: frame.assign(b="x"),
    lambda frame: frame.assign(b=1.5), lambda frame: frame.where(frame != frame.iloc[3, 1]), lambda frame: frame.head(1_000)])
def test_other_frames_are_parquet(change: Any, tmp_path: Path) -> None:
    frame = change(_numbers())
    manifest, _ = _save(frame, tmp_path)
    assert manifest.parts == ("rows.parquet",)
    pandas.testing.assert_frame_equal(_back(manifest, tmp_path), frame)


@pytest.mark.parametrize("odd", [numpy.inf, -numpy.inf, numpy.nan, 1e308])
def test_odd_numbers_come_back(odd: float, tmp_path: Path) -> None:
    frame = _numbers()
    frame.iloc[3:5, 1] = odd
    manifest, _ = _save(frame, tmp_path)
    assert manifest.parts == ("rows.parquet" if numpy.isnan(odd) else "rows.arrow",)
    pandas.testing.assert_frame_equal(_back(manifest, tmp_path), frame)
