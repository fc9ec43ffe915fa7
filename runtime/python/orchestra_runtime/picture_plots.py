"""Which plot a value gets. It is one of pandas', numpy's or Python's."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from orchestra_runtime import picture_kinds as kinds
from orchestra_runtime import picture_marks as marks
from orchestra_runtime import picture_style as style
from orchestra_runtime.picture_arrays import array
from orchestra_runtime.picture_frames import frame, series
from orchestra_runtime.picture_sheet import NotDrawable, Sheet

_CURVES = {  # by the function whose result they are: which parts are x and y
    "roc_curve": (0, 1, "false positive rate", "true positive rate"),
    "precision_recall_curve": (1, 0, "recall", "precision"),
    "det_curve": (0, 1, "false positive rate", "false negative rate"),
    "calibration_curve": (1, 0, "mean predicted probability", "fraction of positives"),
}


def plot(sheet: Sheet, value: Any) -> None:
    """Raises NotDrawable."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        frame(sheet, value)
    elif isinstance(value, pd.Series):
        series(sheet, value)
    elif isinstance(value, Mapping):
        _mapping(sheet, value)
    elif isinstance(value, tuple) and kinds.are_parts(value):
        _parts(sheet, value)
    elif isinstance(value, (list, tuple, np.ndarray)):
        array(sheet, value)
    else:
        raise NotDrawable("it is no picture, table or array")


def _mapping(sheet: Sheet, named: Mapping[Any, Any]) -> None:
    """A number for each name, a history of training, or columns."""
    import pandas as pd

    if named and all(isinstance(each, numbers.Real) for each in named.values()):
        series(sheet, pd.Series({str(name): float(each) for name, each in named.items()}))
        return
    columns = {str(name): np.asarray(each) for name, each in named.items() if kinds.is_column(each)}
    if len({len(each) for each in columns.values()}) != 1:
        raise NotDrawable("of dicts, those of numbers or of equally long lists have a plot")
    if any(name == "loss" or name.startswith("val_") for name in columns):
        _history(sheet, {name: each for name, each in columns.items() if each.dtype.kind in "biuf"})
    else:
        frame(sheet, pd.DataFrame(columns))


def _history(sheet: Sheet, columns: Mapping[str, np.ndarray]) -> None:
    """A panel for each metric: in training, and in validation where it has one."""
    metrics = sheet.first(list(dict.fromkeys(name.removeprefix("val_") for name in columns)), "metrics")
    if not metrics:
        raise NotDrawable("a history without numbers has nothing to show")
    for axes, metric in zip(sheet.panels(len(metrics)), metrics, strict=True):
        for name, meaning in ((metric, "training"), (f"val_{metric}", "validation")):
            if name in columns:
                marks.line(axes, np.arange(1, len(columns[name]) + 1), columns[name], meaning)
        axes.legend()
        axes.set_title(style.label(metric))
        axes.set_xlabel("epoch")
        marks.whole_ticks(axes.xaxis)


def _parts(sheet: Sheet, arrays: tuple[np.ndarray, ...]) -> None:
    """Points with their labels, or a curve."""
    if arrays[0].ndim == 2:
        if sheet.hue is None:
            sheet.hue = arrays[1]
        array(sheet, arrays[0])
        return
    x, y, x_name, y_name = _CURVES.get(sheet.source, (0, 1, "first part", "second part"))
    axes = sheet.axes()
    marks.line(axes, arrays[x], arrays[y])
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
