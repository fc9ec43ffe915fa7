"""Plots of numpy's arrays, by their shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from orchestra_runtime import picture_kinds as kinds
from orchestra_runtime import picture_marks as marks
from orchestra_runtime.picture_frames import series
from orchestra_runtime.picture_scatter import scatter, take_hue
from orchestra_runtime.picture_sheet import NotDrawable, Sheet

_LINE = 1_000  # a longer one is shown by its distribution
_MAX_DIMENSIONS = 4  # of points: a panel for each pair


def array(sheet: Sheet, values: Sequence[Any] | np.ndarray) -> None:
    values = _as_array(values)
    if not values.size:
        raise NotDrawable(f"an array of shape {values.shape} has nothing to show")
    if values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1):
        _row(sheet, values.ravel())
    elif values.dtype.kind not in "biuf":
        raise NotDrawable(f"an array of {values.dtype} has a plot when it has one dimension")
    elif values.ndim == 2:
        _table(sheet, values)
    elif values.ndim == 3 and values.shape[2] in (1, 3, 4):
        marks.image(sheet.axes(), _pixels(values))
    else:
        raise NotDrawable(f"an array of shape {values.shape} is neither points, nor a matrix, nor one image")


def _as_array(values: Sequence[Any] | np.ndarray) -> np.ndarray:
    try:
        found = np.asarray(values)
    except ValueError as error:
        raise NotDrawable("its parts differ in length") from error
    if kinds.holds_instances(found):
        raise NotDrawable(f"it holds a {type(found.flat[0]).__name__}")
    return found


def _row(sheet: Sheet, values: np.ndarray) -> None:
    """A line when it is short; its distribution when it is long, or labels."""
    import pandas as pd

    whole = pd.Series(values)
    if not kinds.is_numeric(whole) or len(values) > _LINE or kinds.are_labels(whole):
        series(sheet, whole)
        return
    axes = sheet.axes()
    marks.line(axes, np.arange(len(values)), values)
    axes.set_xlabel("position")
    axes.set_ylabel("value")


def _table(sheet: Sheet, values: np.ndarray) -> None:
    rows, columns = values.shape
    if rows == columns and kinds.has_texts(values):
        _matrix(sheet, values, has_texts=True)
    elif columns == 2 or (columns <= _MAX_DIMENSIONS and rows > 3 * columns):
        _points(sheet, values)
    elif values.dtype == np.uint8:
        marks.image(sheet.axes(), values)
    else:
        _matrix(sheet, values, has_texts=False)


def _points(sheet: Sheet, values: np.ndarray) -> None:
    import pandas as pd

    names = [f"column {place}" for place in range(1, values.shape[1] + 1)]
    table, hue = take_hue(sheet, pd.DataFrame(values, columns=names))
    scatter(sheet, [(name, kinds.floats(column)) for name, column in table.items()], hue)


def _matrix(sheet: Sheet, values: np.ndarray, has_texts: bool) -> None:
    axes = sheet.axes()
    marks.matrix(axes, values, has_texts)
    is_confusion = sheet.source == "confusion_matrix"
    axes.set_xlabel("predicted" if is_confusion else "column")
    axes.set_ylabel("true" if is_confusion else "row")


def _pixels(values: np.ndarray) -> np.ndarray:
    """Bytes, or fractions of 1, as an image shows them. Other numbers are taken as bytes, or spread over that range."""
    values = values[:, :, 0] if values.shape[2] == 1 else values
    if values.dtype == np.uint8 or values.ndim == 2:
        return values
    values = np.nan_to_num(values.astype(float), posinf=0, neginf=0)
    low, high = values.min(), values.max()
    if low >= 0 and high <= 255:
        low, high = 0, (1 if high <= 1 else 255)
    spread: np.ndarray = (values - low) / max(high - low, np.finfo(float).tiny)
    return spread
