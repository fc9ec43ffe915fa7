"""The standard streams of a step."""

from __future__ import annotations

import io
import sys
from typing import TextIO

from orchestra_runtime import descriptors, libc


_ours: dict[str, TextIO] = {}


def renew() -> None:
    """On descriptors 0, 1 and 2, whatever became of the old ones."""
    for name in ("stdin", "stdout", "stderr"):
        ours = _ours.get(name)
        if ours is None or ours.closed or getattr(sys, name) is not ours or name == "stdin":
            ours = _ours[name] = _opened(name)
        setattr(sys, name, ours)
        setattr(sys, f"__{name}__", ours)


def close_output() -> None:
    """What was printed is in the pipe, which this process has no more."""
    flush()
    descriptors.discard_output()


def flush() -> None:
    """What the code, its open files and C libraries have not written yet."""
    named = list(vars(sys.modules.get("__main__", sys)).values())  # a thread of the step's may be adding to it
    for stream in [each for each in named if isinstance(each, io.IOBase)] + [sys.stdout, sys.stderr]:
        try:
            stream.flush()
        except Exception:  # closed, or its reader is gone
            pass
    libc.flush_stdio()


def _opened(name: str) -> TextIO:
    if name == "stdin":
        return open(0, encoding="utf-8", closefd=False)
    return open(1 if name == "stdout" else 2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
