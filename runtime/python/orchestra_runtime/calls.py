"""Calls by named parameters, which are checked against the signature before the call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any

from orchestra_runtime.refusals import BadRequest, instead

_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def call(target: Callable[..., Any], parameters: Mapping[str, Any], name: str, field: str) -> Any:
    """Raises BadRequest, naming `field`, when the parameters do not fit; what the target raises otherwise. A parameter that
    collects positional arguments (`*arrays`) takes a list under its name."""
    known = signature(target)
    if known is None:
        return target(**parameters)
    known = _without_instance(known)
    check(known, parameters, name, field)
    positional, keywords = _arguments(known, parameters)
    return target(*positional, **keywords)


def signature(target: Callable[..., Any]) -> inspect.Signature | None:
    """None where Python knows none, as of some functions written in C."""
    try:
        found = inspect.signature(target)
        if inspect.isclass(target) and all(each.kind in _VARIADIC for each in found.parameters.values()):
            found = inspect.signature(target.__init__.__get__(object()))  # its __new__ takes everything
        return found
    except (TypeError, ValueError):
        return None


def _without_instance(known: inspect.Signature) -> inspect.Signature:
    """What is called has its instance already; scikit-learn's `set_fit_request` and its like still say that they want one."""
    return known.replace(parameters=[each for each in known.parameters.values() if each.name != "self"])


def check(known: inspect.Signature, parameters: Mapping[str, Any], name: str, field: str) -> None:
    _refuse_unknown(known, parameters, name, field)
    for each in known.parameters.values():
        if each.name not in parameters:
            if each.default is Parameter.empty and each.kind not in _VARIADIC:
                raise BadRequest(f"{field}: {name} needs '{each.name}', which is not given")
        elif each.kind is Parameter.VAR_POSITIONAL and not isinstance(parameters[each.name], (list, tuple)):
            raise BadRequest(f"{field}.{each.name}: {name} takes a list here, of its positional arguments")


def _refuse_unknown(known: inspect.Signature, parameters: Mapping[str, Any], name: str, field: str) -> None:
    if any(each.kind is Parameter.VAR_KEYWORD for each in known.parameters.values()):
        return
    for each in parameters:
        if each not in known.parameters:
            raise BadRequest(f"{field}.{each}: {name} has no parameter '{each}': {instead(each, known.parameters)}")


def _arguments(known: inspect.Signature, parameters: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """By keyword, but for what takes no keyword, and what comes before `*arguments` when those are given."""
    positional: list[Any] = []
    keywords = dict(parameters)
    spread = any(each.kind is Parameter.VAR_POSITIONAL and each.name in parameters for each in known.parameters.values())
    for each in known.parameters.values():
        if each.kind is Parameter.POSITIONAL_ONLY or (spread and each.kind is Parameter.POSITIONAL_OR_KEYWORD):
            positional.append(keywords.pop(each.name, each.default))
        elif each.kind is Parameter.VAR_POSITIONAL:
            positional.extend(keywords.pop(each.name, ()))
    return positional, keywords
