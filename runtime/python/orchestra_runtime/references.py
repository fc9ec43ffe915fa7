"""How a text in parameters refers to a stored result, `$name`, `$name@2`, `$name.key.key`, `$$name`, or to the time for which the step
runs, `$clock`, `$clock.date`. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_REFERENCE = re.compile(r"\$\$?(?P<name>[A-Za-z0-9_-]{1,128}(?:@[0-9]+)?)(?:\.(?P<path>.+))?", re.DOTALL)
CLOCK = "clock"  # no result has this name
_ESCAPED = re.compile(r"\\+[$#]")


class Reference(NamedTuple):
    name: str  # "titanic", "titanic@2": the key of the step file's inputs
    path: str  # "key.key", or ""


def is_reference(text: str) -> bool:
    return text.startswith("$")


def is_expression(text: str) -> bool:
    return text.startswith("#")


def parse(text: str) -> Reference:
    """ValueError when a text that begins with `$` is no reference."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no reference to a result; to mean the text itself, write '\\{text}'")
    return Reference(found["name"], found["path"] or "")


def unescaped(text: str) -> str:
    r"""A text that must begin with `$` or `#` is written with a backslash before it, one with `\$` with two, and so on."""
    return text[1:] if _ESCAPED.match(text) else text
