"""Exceptions as the user reads them: one line, and a traceback that begins in the user's own code."""

from __future__ import annotations

import os
import traceback
from types import TracebackType

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
MAX_HEADLINE = 8 * 1024
MAX_TRACEBACK = 64 * 1024


def headline(exception: BaseException) -> str:
    """ "ValueError: boom", as the last line of a traceback names it."""
    kind = type(exception)
    bare = kind.__module__ in ("builtins", "__main__") or kind.__module__.startswith("orchestra_runtime.")
    name = kind.__qualname__ if bare else f"{kind.__module__}.{kind.__qualname__}"
    message = _message(exception)
    return _shortened(f"{name}: {message}" if message else name, MAX_HEADLINE)


def of_user(exception: BaseException) -> str:
    """Without this runtime's frames before the first one that is not its own; with causes and contexts."""
    for each in _chain(exception):
        each.__traceback__ = _from_user(each.__traceback__)
    try:
        return _shortened("".join(traceback.format_exception(exception)), MAX_TRACEBACK)
    except Exception:  # a __str__ or __repr__ of the user's that raises something odd
        return headline(exception)


def is_memory(exception: BaseException) -> bool:
    """MemoryError, and what libraries derive from it (numpy.core._exceptions._ArrayMemoryError, pyarrow.lib.ArrowMemoryError)."""
    return any(isinstance(each, MemoryError) for each in _causes(exception))


def _message(exception: BaseException) -> str:
    if isinstance(exception, KeyError) and len(exception.args) == 1:
        return repr(exception.args[0])
    try:
        message = str(exception)
    except Exception:
        return "(its message cannot be shown)"
    if isinstance(exception, ModuleNotFoundError) and exception.name:
        return f"{message} (it is not installed in the environment of this step)"
    return message


def _chain(exception: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    pending = [exception]
    while pending:
        each = pending.pop()
        if each is not None and each not in found:
            found.append(each)
            pending += [each.__cause__, each.__context__]
    return found


def _causes(exception: BaseException) -> list[BaseException]:
    found = [exception]
    while (cause := found[-1].__cause__) is not None and cause not in found:
        found.append(cause)
    return found


def _from_user(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    return trace


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
