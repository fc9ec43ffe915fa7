"""Operations explore/*: what a call gave, as a PNG.

Drawn as they are: PNG bytes, PIL images, figures and axes of matplotlib, displays of scikit-learn (which are asked to plot
themselves). Everything else is plotted on a figure of ours: see picture_plots.py.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestra_runtime import objects, picture_marks, picture_plots, picture_style
from orchestra_runtime.picture_sheet import NotDrawable, Sheet
from orchestra_runtime.refusals import BadRequest, instead

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_PIXELS = 25_000_000
_SIZES = {"width": (1, 40), "height": (1, 40), "dpi": (30, 600)}  # inches, inches, dots per inch
_FIRST = 20  # elements of a list that are looked at
_PNG = b"\x89PNG\r\n\x1a\n"
_DRAWABLE = ("figures and axes of matplotlib, displays of scikit-learn, tables and series of numbers, arrays of one or two "
             "dimensions, images (height × width × 1, 3 or 4), training histories, PNG bytes")


@dataclass(frozen=True, slots=True)
class Options:
    """What a request says of its picture."""

    width: float = 6.4
    height: float = 4.8
    dpi: float = 150
    is_sized: bool = False  # by the request
    hue: Any = None

    @staticmethod
    def of(figure: Any, hue: Any) -> Options:
        """`figure`: {"width"?, "height"?, "dpi"?} or None. BadRequest when a size is none, or too large."""
        if not isinstance(figure or {}, Mapping):
            raise BadRequest("figure: not an object with width, height, dpi")
        given = {name: _size(name, value) for name, value in (figure or {}).items()}
        options = Options(**given, is_sized="width" in given or "height" in given, hue=hue)
        if options.width * options.height * options.dpi**2 > MAX_PIXELS:
            raise BadRequest(f"figure: {options.width} × {options.height} inches at {options.dpi} dpi are over {MAX_PIXELS} pixels")
        return options


@dataclass(frozen=True, slots=True)
class Picture:
    png: bytes
    notes: list[str]


def prepare(options: Options) -> None:
    """Before the call: what it draws itself looks like what we draw."""
    picture_style.apply(options.width, options.height, options.dpi)


def draw(value: Any, options: Options, source: str = "") -> Picture:
    """`source` is the name of what gave the value. Raises NotDrawable, which names the type and what can be drawn."""
    try:
        return _draw(value, options, source)
    except NotDrawable as why:
        raise NotDrawable(f"a value of type {objects.type_name(value)} cannot be drawn: {why}. What can: {_DRAWABLE}") from None


def _draw(value: Any, options: Options, source: str) -> Picture:
    value = _unwrapped(value)
    if (image := _image(value)) is not None:
        return Picture(image, [])
    if (figure := _figure(value)) is not None:
        return _drawn_by_others(figure, options)
    return _drawn_by_us(value, options, source)


def _drawn_by_us(value: Any, options: Options, source: str) -> Picture:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(options.width, options.height), layout="constrained")
    sheet = Sheet(figure, options.is_sized, options.hue, source)
    if _is_display(value):
        value.plot(ax=sheet.axes())
    else:
        picture_plots.plot(sheet, value)
    if options.hue is not None and not sheet.uses_hue:
        sheet.notes.append("hue is not used: this is no plot of points")
    return _rendered(figure, options.dpi, sheet.notes)


def _drawn_by_others(figure: Figure, options: Options) -> Picture:
    if options.is_sized:
        figure.set_size_inches(options.width, options.height)
    return _rendered(figure, options.dpi, [])


def _rendered(figure: Figure, dpi: float, notes: list[str]) -> Picture:
    width, height = figure.get_size_inches()
    most = math.sqrt(MAX_PIXELS / (width * height))
    if dpi > most:
        notes.append(f"drawn with {most:.0f} dpi: more would be over {MAX_PIXELS} pixels")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=min(dpi, most), metadata={"Software": None})
    return Picture(buffer.getvalue(), notes)


def _size(name: str, value: Any) -> float:
    if name not in _SIZES:
        raise BadRequest(f"figure.{name}: a picture has no {name}: {instead(name, _SIZES)}")
    low, high = _SIZES[name]
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not low <= value <= high:
        raise BadRequest(f"figure.{name}: {value!r} is not a number from {low} to {high}")
    return float(value)


def _unwrapped(value: Any) -> Any:
    """Frames of other libraries as pandas', tensors and sparse matrices as arrays, a History as its dict."""
    if hasattr(value, "to_arrow"):  # Polars
        value = value.to_arrow()
    if hasattr(value, "to_pandas"):  # Arrow
        value = value.to_pandas()
    if hasattr(value, "epoch") and isinstance(getattr(value, "history", None), dict):  # Keras
        value = value.history
    if hasattr(value, "numpy") and hasattr(value, "dtype"):  # TensorFlow, Keras
        value = value.numpy()
    if hasattr(value, "tocoo"):  # SciPy
        value = _from_sparse(value)
    return value


def _from_sparse(matrix: Any) -> np.ndarray:
    """As many cells as are drawn; in a larger one, how many of the matrix's values each of them has."""
    most = picture_marks.MAX_CELLS
    if max(matrix.shape) <= most:
        dense: np.ndarray = matrix.toarray()
        return dense
    entries = matrix.tocoo()
    shape = tuple(min(most, size) for size in matrix.shape)
    places = [where.astype(np.int64) * cells // size for where, cells, size in zip(entries.coords, shape, matrix.shape, strict=True)]
    return np.bincount(np.ravel_multi_index(places, shape), minlength=math.prod(shape)).reshape(shape).astype(float)


def _image(value: Any) -> bytes | None:
    if isinstance(value, (bytes, bytearray)):
        if not value.startswith(_PNG):
            raise NotDrawable("these bytes are no PNG")
        return bytes(value)
    pillow = sys.modules.get("PIL.Image")
    if pillow is None or not isinstance(value, pillow.Image):
        return None
    buffer = io.BytesIO()
    (value if value.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else value.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()


def _figure(value: Any) -> Figure | None:
    """The one that a figure, an artist or a drawn display is or belongs to; of several values, of the first that has one."""
    from matplotlib.artist import Artist
    from matplotlib.figure import FigureBase

    for attribute in ("figure_", "figure"):  # scikit-learn's displays, seaborn's grids
        if isinstance(inner := getattr(value, attribute, None), FigureBase):
            value = inner
    if isinstance(value, (Artist, FigureBase)):
        return value.get_figure(root=True)
    return next((found for each in _elements(value) if (found := _figure(each))), None)


def _elements(value: Any) -> list[Any]:
    """The first ones, of what may hold artists."""
    if isinstance(value, np.ndarray):
        return list(value.flat[:_FIRST]) if value.dtype == object else []
    if isinstance(value, Mapping):
        return list(value.values())[:_FIRST]
    return list(value[:_FIRST]) if isinstance(value, (list, tuple)) else []


def _is_display(value: Any) -> bool:
    """As scikit-learn names them. One that has drawn itself has a figure."""
    return type(value).__name__.endswith("Display") and callable(getattr(value, "plot", None))
