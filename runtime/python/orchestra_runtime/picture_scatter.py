"""Points of a few numeric columns, a panel for each pair of them, coloured by a further one."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestra_runtime import picture_kinds as kinds
from orchestra_runtime import picture_marks as marks
from orchestra_runtime import picture_style as style
from orchestra_runtime.picture_sheet import NotDrawable, Sheet

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

MAX_POINTS = 50_000
_MAX_GROUPS = len(style.COLOURS)


def scatter(sheet: Sheet, columns: list[tuple[Any, np.ndarray]], hue: pandas.Series | None) -> None:
    """`columns`: two to four, with their names."""
    sheet.uses_hue = True
    rows = _rows(sheet, np.column_stack([values for _, values in columns]))
    points = [(name, marks.bounded(values[rows])) for name, values in columns]
    pairs = list(combinations(points, 2))
    colours = _Colours(hue.iloc[rows]) if hue is not None else None
    panels = sheet.panels(len(pairs))
    for axes, ((x_name, x), (y_name, y)) in zip(panels, pairs, strict=True):
        _draw(axes, x, y, colours)
        axes.set_xlabel(style.label(x_name))
        axes.set_ylabel(style.label(y_name))
    if colours:
        colours.explain(sheet, panels)


def take_hue(sheet: Sheet, frame: pandas.DataFrame) -> tuple[pandas.DataFrame, pandas.Series | None]:
    """What the request colours points by, and the frame without it. NotDrawable when it does not fit the frame."""
    import pandas as pd

    if sheet.hue is None:
        return frame, None
    if isinstance(sheet.hue, str):
        return _column(frame, sheet.hue)
    values = pd.Series(np.asarray(sheet.hue).ravel(), name=getattr(sheet.hue, "name", None))
    if len(values) != len(frame):
        raise NotDrawable(f"hue has {len(values)} values for {len(frame)} rows")
    return frame, values


def _column(frame: pandas.DataFrame, name: str) -> tuple[pandas.DataFrame, pandas.Series]:
    matches = [place for place, each in enumerate(frame.columns) if str(each) == name]
    if not matches:
        raise NotDrawable(f"hue names no column '{name}': there are {', '.join(map(str, frame.columns[:20]))}")
    others = [place for place in range(frame.shape[1]) if place != matches[0]]
    return frame.iloc[:, others], frame.iloc[:, matches[0]]


def _rows(sheet: Sheet, values: np.ndarray) -> np.ndarray:
    """Numbers of the rows that are drawn, in order."""
    whole = np.flatnonzero(np.isfinite(values).all(axis=1))
    if not len(whole):
        raise NotDrawable("no row has a finite number in each of the columns")
    if len(whole) < len(values):
        sheet.notes.append(f"{len(values) - len(whole)} of {len(values)} points are left out: a number is missing")
    if len(whole) <= MAX_POINTS:
        return whole
    sheet.notes.append(f"{MAX_POINTS} of {len(whole)} points are drawn, chosen at random")
    return np.sort(np.random.default_rng(0).choice(whole, MAX_POINTS, replace=False))


def _draw(axes: Axes, x: np.ndarray, y: np.ndarray, colours: _Colours | None) -> None:
    how = colours.how if colours else {"c": style.COLOURS[0]}
    crowd = len(x) / 2_000
    size, alpha = 18 / max(1.0, crowd) ** 0.5, 0.8 / max(1.0, crowd) ** 0.25
    axes.scatter(x, y, s=max(size, 4), alpha=max(alpha, 0.35), linewidths=0, **how)
    style.open_frame(axes)


class _Colours:
    """Of points: a colour for each of few values, or a scale for many numbers."""

    def __init__(self, hue: pandas.Series) -> None:
        from pandas.api.types import is_numeric_dtype

        self.title = style.label(hue.name) if hue.name is not None else ""
        self.groups: list[str] = []
        if is_numeric_dtype(hue) and hue.nunique() > _MAX_GROUPS:
            values = marks.bounded(kinds.floats(hue))
            self.how: dict[str, Any] = {"c": values, "cmap": style.SEQUENTIAL, "plotnonfinite": True}
        else:
            self.how = {"c": self._of_groups(hue.astype(object))}

    def _of_groups(self, hue: pandas.Series) -> list[str]:
        """The rarest share the last colour when there are more groups than colours."""
        found = hue.value_counts(dropna=False)
        own = found.index if len(found) <= _MAX_GROUPS else found.index[: _MAX_GROUPS - 1]
        ordered = sorted(own, key=lambda each: (str(type(each)), each))
        self.groups = [str(each) for each in ordered] + (["other"] if len(found) > len(own) else [])
        codes = hue.map({each: code for code, each in enumerate(ordered)})
        return [style.COLOURS[int(code)] for code in codes.fillna(len(self.groups) - 1)]

    def explain(self, sheet: Sheet, panels: list[Axes]) -> None:
        if not self.groups:
            scale: Any = sheet.figure.colorbar(panels[0].collections[0], ax=panels, label=self.title)
            scale.solids.set_alpha(1)
            return
        from matplotlib.lines import Line2D

        dots = [Line2D([], [], marker="o", linestyle="", color=colour) for colour in style.COLOURS[: len(self.groups)]]
        names = [style.label(each) for each in self.groups]
        sheet.figure.legend(dots, names, title=self.title or None, loc="outside right upper")
