"""What a step tells while it runs, and a line of text that shows it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

_KNOWN = {"phase", "bytes", "rows", "total", "epoch", "epochs", "trial", "trials"}
_BAR = 20


@dataclass(frozen=True)
class Progress:
    """One message: of a download bytes, rows and perhaps total; of training epoch, epochs, loss and metrics; of a search
    trial, trials and score; of others a phase."""

    name: str
    data: Mapping[str, Any]

    @property
    def fraction(self) -> float | None:
        for done, all_of_it in (("bytes", "total"), ("epoch", "epochs"), ("trial", "trials")):
            total = self.data.get(all_of_it)
            if isinstance(total, (int, float)) and total > 0 and isinstance(self.data.get(done), (int, float)):
                return min(1.0, float(self.data[done]) / float(total))
        return None

    def __str__(self) -> str:
        data = self.data
        parts = [str(data["phase"])] if "phase" in data else []
        if "bytes" in data:
            parts.append(_size(data["bytes"]) + (f" of {_size(data['total'])}" if data.get("total") else ""))
        if "rows" in data:
            parts.append(f"{data['rows']:,} rows")
        parts += [f"{one} {data[one]}" + (f"/{data[all_of_it]}" if all_of_it in data else "")
                  for one, all_of_it in (("epoch", "epochs"), ("trial", "trials")) if one in data]
        parts += [f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
                  for key, value in data.items() if key not in _KNOWN]
        return " · ".join(parts)


Show = Callable[[Progress], None]


class Line:
    """Writes each progress over the one before. A notebook shows it, too."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._length = 0

    def __call__(self, progress: Progress) -> None:
        fraction = progress.fraction
        bar = "" if fraction is None else f"[{'█' * round(fraction * _BAR):<{_BAR}}] "
        text = f"{progress.name}: {bar}{progress}"[: shutil.get_terminal_size((120, 24)).columns - 1]
        self._stream.write("\r" + text.ljust(self._length))
        self._stream.flush()
        self._length = len(text)

    def close(self) -> None:
        if self._length:
            self._stream.write("\n")
            self._stream.flush()


def shower(wish: bool | Show | None) -> Show | None:
    """Who shows progress: the caller's function, a line, or (None) a line where somebody sees it."""
    if callable(wish):
        return wish
    if wish is False:
        return None
    if _in_notebook():
        return Line(sys.stdout)
    return Line(sys.stderr) if wish or sys.stderr.isatty() else None


def close(show: Show | None) -> None:
    if isinstance(show, Line):
        show.close()


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
