"""The figure that a value is drawn on, with what the request says of it and what is to be told of the drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PANELS = 12
_PANEL = (3.2, 2.4)  # inches


class NotDrawable(TypeError):
    """A value that is no picture and cannot become one. Says why."""


@dataclass
class Sheet:
    figure: Figure
    is_sized: bool = False  # by the request: then it does not grow with what is on it
    hue: Any = None  # what points are coloured by: a value for each, or the name of a column
    source: str = ""  # the callable that gave the value: "confusion_matrix"
    notes: list[str] = field(default_factory=list)
    uses_hue: bool = False

    def axes(self) -> Axes:
        return self.figure.add_subplot()

    def panels(self, count: int) -> list[Axes]:
        columns = math.ceil(math.sqrt(count))
        rows = math.ceil(count / columns)
        if not self.is_sized and count > 1:
            width, height = self.figure.get_size_inches()
            self.figure.set_size_inches(max(width, columns * _PANEL[0]), max(height, rows * _PANEL[1]))
        return [self.figure.add_subplot(rows, columns, place) for place in range(1, count + 1)]

    def first(self, names: list[Any], what: str) -> list[Any]:
        """As many as there are panels for."""
        if len(names) > MAX_PANELS:
            self.notes.append(f"the first {MAX_PANELS} of {len(names)} {what} are drawn")
        return names[:MAX_PANELS]
