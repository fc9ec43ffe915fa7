"""A Python function as the code of a step.

What is sent is the source of the function, followed by `response = name(…)` with those of its arguments that are parameters of
the step. The code runs on the server: nothing of the module around the function goes with it, so imports belong inside.
"""

from __future__ import annotations

import builtins
import dis
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

Code = str | Callable[..., Any]


def code_of(function: Code, parameters: Mapping[str, Any]) -> str:
    """The text to send. TypeError or ValueError where the function could not run by itself."""
    if isinstance(function, str):
        return function
    if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
        raise TypeError("the code of a step is a text or a function made by def")
    _check_outside(function, parameters)
    return f"{_source(function)}\n\nresponse = {function.__name__}({_arguments(function, parameters)})\n"


def _source(function: FunctionType) -> str:
    try:
        lines, _ = inspect.getsourcelines(function)
    except OSError:
        raise ValueError(f"the source of {function.__name__} is not known here; give it as text") from None
    text = textwrap.dedent("".join(lines))
    if not text.startswith("def "):
        raise TypeError(f"{function.__name__} has decorators or is asynchronous: give a plain function, or text")
    return text.rstrip()


def _arguments(function: FunctionType, parameters: Mapping[str, Any]) -> str:
    signature = inspect.signature(function)
    kinds = inspect.Parameter
    taken = [name for name, each in signature.parameters.items() if each.kind is not kinds.VAR_KEYWORD]
    for name in taken:
        if signature.parameters[name].kind in (kinds.VAR_POSITIONAL, kinds.POSITIONAL_ONLY):
            raise TypeError(f"{function.__name__} cannot take {name!r} by name")
    everything = len(taken) < len(signature.parameters)
    given = list(parameters) if everything else [name for name in taken if name in parameters]
    try:
        signature.bind(**dict.fromkeys(given))
    except TypeError as error:
        raise TypeError(f"{function.__name__}: {error}") from None
    return ", ".join(f"{name}={name}" for name in given)


def _check_outside(function: FunctionType, parameters: Mapping[str, Any]) -> None:
    if function.__code__.co_freevars:
        raise ValueError(f"{function.__name__} uses {_listed(function.__code__.co_freevars)} of the function around it: "
                         "pass what it needs as parameters")
    known = {function.__name__, *parameters, *vars(builtins)}
    missing = sorted(set(_global_names(function.__code__)) - known)
    if missing:
        raise ValueError(f"{function.__name__} uses {_listed(missing)} from outside: import inside the function, "
                         "or pass it as a parameter")


def _global_names(code: CodeType) -> Iterator[str]:
    stored = {each.argval for each in dis.get_instructions(code) if each.opname == "STORE_GLOBAL"}
    for each in dis.get_instructions(code):
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME") and each.argval not in stored:
            yield str(each.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from (name for name in _global_names(constant) if name not in _class_names(constant) | stored)


def _class_names(code: CodeType) -> set[str]:
    """What the body of a class defines for itself."""
    return {each.argval for each in dis.get_instructions(code) if each.opname == "STORE_NAME"} | {
        "__name__", "__qualname__", "__module__"}


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names)
