"""What is wrong with a request, in words that name the field and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 20


class BadRequest(ValueError):
    """A member of the request that this step cannot follow. Names it."""


def instead(name: str, known: Iterable[str]) -> str:
    """ "did you mean 'fit'?", or what there is when nothing comes near. Case does not count."""
    names = list(dict.fromkeys(known))
    spelled = {each.casefold(): each for each in names}
    near = [spelled[each] for each in difflib.get_close_matches(name.casefold(), spelled, n=3)]
    if near:
        return f"did you mean {' or '.join(repr(each) for each in near)}?"
    if not names:
        return "there is none"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"there are {', '.join(names[:_LISTED])}{more}"


def public(names: Iterable[str]) -> list[str]:
    return [each for each in names if not each.startswith("_")]
