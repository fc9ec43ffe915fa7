"""Single plots on the axes that they are given. What is not finite is left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestra_runtime import picture_style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

MAX_LINE = 4_000  # points of a line: more are reduced to the ends of what they span
MAX_CELLS = 1_000  # of a matrix, each way: more are averaged
_LARGEST = 1e100  # matplotlib fails to put ticks near the largest numbers there are
_WHOLE = 40  # whole numbers within such a span have a bar each


def line(axes: Axes, x: np.ndarray, y: np.ndarray, name: str = "") -> None:
    x, y = _reduced(bounded(x), bounded(y))
    mark = "o" if len(y) <= 30 else ""
    axes.plot(x, y, marker=mark, markersize=4, label=style.label(name) if name else None)
    style.open_frame(axes)


def histogram(axes: Axes, values: np.ndarray, is_time: bool = False) -> None:
    """`is_time`: values are matplotlib's numbers of days."""
    values = bounded(values)
    values = values[np.isfinite(values)]
    if not len(values):
        _nothing(axes)
        return
    are_whole = _are_whole(values)
    found, edges = np.histogram(values, **_bins(values, are_whole))
    axes.bar(edges[:-1], found, np.diff(edges), align="edge", color=style.COLOURS[0], edgecolor="white", linewidth=0.5)
    axes.set_ylabel("count")
    whole_ticks(axes.yaxis)
    style.open_frame(axes, "y")
    if is_time:
        times(axes)
    elif are_whole:
        whole_ticks(axes.xaxis)


def counts(axes: Axes, values: Any, most: int) -> int:
    """Of a pandas.Series' distinct values, the most frequent on top. Gives how many there are."""
    found = values.dropna().astype(str).value_counts()
    if not len(found):
        _nothing(axes)
    else:
        bars(axes, found.index[:most], found.to_numpy()[:most])
        axes.set_xlabel("count")
        whole_ticks(axes.xaxis)
    return len(found)


def bars(axes: Axes, names: Any, values: np.ndarray) -> None:
    axes.barh(np.arange(len(values)), bounded(values), color=style.COLOURS[0], edgecolor="white")
    axes.set_yticks(np.arange(len(values)), [style.label(each) for each in names])
    axes.invert_yaxis()
    style.open_frame(axes, "x")


def matrix(axes: Axes, values: np.ndarray, has_texts: bool = False) -> None:
    """As colours; with the number in each cell if `has_texts`."""
    values = bounded(_averaged(values))
    low, high = np.nanmin(values, initial=0), np.nanmax(values, initial=0)
    largest, diverges = max(-low, high), low < 0 < high
    colours = style.DIVERGING if diverges else style.COUNTS if has_texts else style.SEQUENTIAL
    shown = axes.imshow(values, cmap=colours, aspect="equal" if _is_stout(values) else "auto",
                        **({"vmin": -largest, "vmax": largest} if diverges else {}))
    if has_texts:
        _write_cells(axes, shown, values)
    else:
        axes.figure.colorbar(shown, ax=axes)


def image(axes: Axes, values: np.ndarray) -> None:
    """Grey, RGB or RGBA."""
    grey: dict[str, Any] = {"cmap": style.GREY} if values.ndim == 2 else {}
    axes.imshow(values if values.dtype == np.uint8 else values.astype(float), interpolation=_smoothing(axes, values), **grey)
    axes.set_axis_off()


def times(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def whole_ticks(axis: Axis) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _nothing(axes: Axes) -> None:
    axes.text(0.5, 0.5, "no values", ha="center", va="center", transform=axes.transAxes, color="#717581")
    axes.set_axis_off()


def bounded(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return np.where(np.isfinite(values), np.clip(values, -_LARGEST, _LARGEST), np.nan)


def _are_whole(values: np.ndarray) -> bool:
    """And few enough for a bar each."""
    low, high = values.min(), values.max()
    return bool(high - low <= _WHOLE and max(-low, high) < 2**53 and not np.any(values % 1))


def _bins(values: np.ndarray, are_whole: bool) -> dict[str, Any]:
    low, high = values.min(), values.max()
    if are_whole:
        return {"bins": int(high - low) + 1, "range": (low - 0.5, high + 0.5)}
    margin = 1e-6 * max(abs(low), abs(high))
    if high - low < margin:
        low, high = low - margin, high + margin
    return {"bins": min(60, max(10, math.isqrt(len(values)))), "range": (low, high)}


def _reduced(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest of each stretch, so that no peak is lost."""
    if len(y) <= MAX_LINE:
        return x, y
    length = math.ceil(2 * len(y) / MAX_LINE)
    starts = np.arange(0, len(y), length)
    ends = np.stack([np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)], axis=1)
    return np.repeat(x[starts], 2), ends.ravel()


def _averaged(values: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        if (length := math.ceil(values.shape[axis] / MAX_CELLS)) > 1:
            starts = np.arange(0, values.shape[axis], length)
            sizes = np.diff(np.append(starts, values.shape[axis]))
            values = np.add.reduceat(values, starts, axis=axis, dtype=float) / np.expand_dims(sizes, 1 - axis)
    return values


def _is_stout(values: np.ndarray) -> bool:
    height, width = values.shape[:2]
    return bool(max(height, width) <= 3 * min(height, width))


def _smoothing(axes: Axes, values: np.ndarray) -> str:
    """Pixels of a small image stay sharp; one that has more than the picture is smoothed, not thinned out."""
    return "nearest" if max(values.shape[:2]) < max(axes.bbox.size) else "antialiased"


def _write_cells(axes: Axes, shown: Any, values: np.ndarray) -> None:
    is_whole = not np.any(values % 1)
    size = min(10.0, 100 / max(values.shape))
    axes.set_xticks(range(values.shape[1]))
    axes.set_yticks(range(values.shape[0]))
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if sum(shown.cmap(shown.norm(value))[:3]) < 1.5 else "black"
        text = f"{value:.0f}" if is_whole else f"{round(value, 2) + 0.0:.2f}"  # no -0.00
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
