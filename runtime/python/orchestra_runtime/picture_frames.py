"""Plots of pandas' frames and series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from orchestra_runtime import picture_kinds as kinds
from orchestra_runtime import picture_marks as marks
from orchestra_runtime import picture_style as style
from orchestra_runtime.picture_scatter import scatter, take_hue
from orchestra_runtime.picture_sheet import NotDrawable, Sheet

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

MAX_ROWS = 1_000_000  # whose values are counted: more are thinned out
_MAX_LINES = len(style.COLOURS)
_MAX_NAMES = 40  # along the side of a matrix
_PANEL_BARS = 8


def frame(sheet: Sheet, table: pandas.DataFrame) -> None:
    """A matrix, lines over time, a scatter plot of two columns, bars for named rows, or the distribution of each column."""
    if not table.size:
        raise NotDrawable("a table without rows or columns has nothing to show")
    if kinds.is_matrix(table):
        _matrix(sheet, table)
        return
    points, hue = take_hue(sheet, _by_time(table))
    numeric = [(name, kinds.floats(column)) for name, column in points.items() if kinds.is_numeric(column)]
    if kinds.is_time(points.index) and numeric:
        _over_time(sheet, points.index, numeric)
    elif len(numeric) == 2 or (hue is not None and 2 < len(numeric) <= 4):
        scatter(sheet, numeric, hue)
    elif kinds.has_names(table.index) and len(table) <= kinds.FEW and numeric:
        _named_rows(sheet, table.index, numeric)
    else:
        _columns(sheet, table)


def series(sheet: Sheet, values: pandas.Series) -> None:
    """A line over time, a bar for each name, or the distribution."""
    if not len(values):
        raise NotDrawable("there are no values")
    axes = sheet.axes()
    if kinds.is_numeric(values) and kinds.is_time(values.index):
        marks.line(axes, kinds.days(values.index), kinds.floats(values))
        marks.times(axes)
    elif kinds.is_numeric(values) and len(values) <= kinds.FEW and kinds.has_names(values.index):
        marks.bars(axes, values.index, kinds.floats(values))
    else:
        distribution(sheet, axes, _thinned(sheet, values), kinds.FEW)
    if values.name is not None:
        axes.set_title(style.label(values.name))


def distribution(sheet: Sheet, axes: Axes, values: pandas.Series, most: int) -> None:
    """`most` bars for texts."""
    if kinds.is_time(values):
        marks.histogram(axes, kinds.days(values), is_time=True)
    elif kinds.is_numeric(values):
        marks.histogram(axes, kinds.floats(values))
    elif (distinct := marks.counts(axes, values, most)) > most:
        where = f"column '{values.name}': " if values.name is not None else ""
        sheet.notes.append(f"{where}the {most} most frequent of {distinct} values are drawn")


def _matrix(sheet: Sheet, table: pandas.DataFrame) -> None:
    axes = sheet.axes()
    values = table.to_numpy()
    values = values if values.dtype.kind in "iuf" else values.astype(float)
    marks.matrix(axes, values, kinds.has_texts(values))
    if max(table.shape) <= _MAX_NAMES:
        names = [style.label(each) for each in table.columns]
        turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 4 else {}
        axes.set_xticks(range(len(names)), names, **turned)
        axes.set_yticks(range(len(table)), [style.label(each) for each in table.index])
    axes.set_xlabel(style.label(table.columns.name or ""))
    axes.set_ylabel(style.label(table.index.name or ""))


def _by_time(table: pandas.DataFrame) -> pandas.DataFrame:
    """A single column of times that rise says when the rows were."""
    times = [place for place in range(table.shape[1]) if kinds.is_time(table.iloc[:, place])]
    if len(times) != 1 or len(table) < 2 or not table.iloc[:, times[0]].is_monotonic_increasing:
        return table
    return table.set_axis(table.iloc[:, times[0]], axis=0)


def _named_rows(sheet: Sheet, names: pandas.Index, columns: list[tuple[Any, np.ndarray]]) -> None:
    columns = sheet.first(columns, "columns")
    for axes, (name, values) in zip(sheet.panels(len(columns)), columns, strict=True):
        marks.bars(axes, names, values)
        axes.set_title(style.label(name))


def _over_time(sheet: Sheet, index: Any, columns: list[tuple[Any, np.ndarray]]) -> None:
    axes = sheet.axes()
    if len(columns) > _MAX_LINES:
        sheet.notes.append(f"the first {_MAX_LINES} of {len(columns)} columns are drawn")
    for name, values in columns[:_MAX_LINES]:
        marks.line(axes, kinds.days(index), values, str(name))
    marks.times(axes)
    sheet.figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")


def _columns(sheet: Sheet, table: pandas.DataFrame) -> None:
    table = _thinned(sheet, table)
    places = [place for place in range(table.shape[1]) if _is_told(sheet, table.iloc[:, place])]
    if not places:
        raise NotDrawable("none of its columns has numbers, times, or texts that repeat")
    places = sheet.first(places, "columns")
    for axes, place in zip(sheet.panels(len(places)), places, strict=True):
        distribution(sheet, axes, table.iloc[:, place], _PANEL_BARS if len(places) > 1 else kinds.FEW)
        axes.set_title(style.label(table.columns[place]))


def _is_told(sheet: Sheet, column: pandas.Series) -> bool:
    """Whether its distribution says anything: names of people do not repeat."""
    if kinds.is_numeric(column) or kinds.is_time(column):
        return True
    distinct = column.astype(str).nunique()
    repeats = bool(distinct <= kinds.FEW or 2 * distinct <= len(column))
    if not repeats:
        sheet.notes.append(f"column '{column.name}' is not drawn: it has {distinct} distinct texts")
    return repeats


def _thinned(sheet: Sheet, values: Any) -> Any:
    if len(values) <= MAX_ROWS:
        return values
    sheet.notes.append(f"{MAX_ROWS} of {len(values)} rows are counted, evenly spaced")
    return values.iloc[np.linspace(0, len(values) - 1, MAX_ROWS).astype(int)]
