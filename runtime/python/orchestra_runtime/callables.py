"""What modules have to be called, as tables in which nothing is said twice: signatures, methods of classes, functions and classes."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from inspect import Parameter
from types import ModuleType
from typing import Any

from orchestra_runtime import calls
from orchestra_runtime.refusals import public

_MAX_DOC = 160  # characters


class Table:
    """Equal entries have one place."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, entry: Any) -> int:
        place = self._places.setdefault(json.dumps(entry, sort_keys=True), len(self.entries))
        if place == len(self.entries):
            self.entries.append(entry)
        return place


class Callables:
    """`packages` are those whose callables count; what their modules import from elsewhere does not."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages
        self._signatures, self._methods, self._callables = Table(), Table(), Table()
        self._known: dict[int, tuple[Any, int]] = {}  # by id, with what keeps the id theirs

    def of_module(self, module: ModuleType) -> dict[str, int]:
        """The places of its public callables."""
        names = public(sorted({*dir(module), *getattr(module, "__all__", ())}))
        named = ((name, getattr(module, name, None)) for name in names)
        return {name: self._place(each) for name, each in named if callable(each) and self._is_ours(each)}

    def tables(self, modules: Mapping[str, Mapping[str, int]]) -> dict[str, object]:
        """With the classes that derive from those found so far."""
        for each in sorted(self._derived(), key=lambda kind: (kind.__module__, kind.__qualname__)):
            self._place(each)
        return {"modules": modules, "callables": self._callables.entries, "methods": self._methods.entries,
                "signatures": self._signatures.entries}  # fmt: skip

    def _place(self, target: Callable[..., Any]) -> int:
        if id(target) not in self._known:
            self._known[id(target)] = target, self._callables.place(self._described(target))
        return self._known[id(target)][1]

    def _described(self, target: Callable[..., Any]) -> dict[str, Any]:
        kind = target if inspect.isclass(target) else type(target)
        named = target if hasattr(target, "__qualname__") else kind
        entry = {
            "kind": "class" if inspect.isclass(target) else "function",
            "name": f"{named.__module__}.{named.__qualname__}",
            "doc": _first_line(target),
            "signature": self._signature(calls.signature(target)),
        }
        if inspect.isclass(target):
            entry["methods"] = self._methods.place(self._methods_of(target))
        return {key: value for key, value in entry.items() if value != ""}

    def _methods_of(self, kind: type) -> dict[str, int | None]:
        names = public(dir(kind))
        if any("__call__" in vars(base) for base in kind.__mro__):
            names.append("__call__")
        return {name: self._method_signature(kind, name) for name in names if _is_method(kind, name)}

    def _method_signature(self, kind: type, name: str) -> int | None:
        """As an instance has it: without the instance itself."""
        known = calls.signature(getattr(kind, name))
        parameters = list(known.parameters.values()) if known else []
        if parameters and not _is_bound(kind, name) and parameters[0].kind is not Parameter.VAR_POSITIONAL:
            known = inspect.Signature(parameters[1:])
        return self._signature(known)

    def _signature(self, known: inspect.Signature | None) -> int | None:
        if known is None:
            return None
        entry: dict[str, Any] = {}
        for each in known.parameters.values():
            if each.kind is Parameter.VAR_POSITIONAL:
                entry["varargs"] = each.name
            elif each.kind is Parameter.VAR_KEYWORD:
                entry["varkw"] = True
            else:
                entry.setdefault("required" if each.default is Parameter.empty else "optional", []).append(each.name)
        return self._signatures.place(entry)

    def _is_ours(self, target: Any) -> bool:
        module = getattr(target, "__module__", None)
        return isinstance(module, str) and module.partition(".")[0] in self._packages

    def _derived(self) -> set[type]:
        found: set[type] = set()
        pending = [each for each, _ in self._known.values() if inspect.isclass(each)]
        while pending:
            new = {each for each in type.__subclasses__(pending.pop()) if each not in found and self._is_ours(each)}
            found |= {each for each in new if not each.__name__.startswith("_") and "<locals>" not in each.__qualname__}
            pending += new
        return found


def _first_line(target: Any) -> str:
    """Of its own documentation: an inherited one is about something else."""
    text = getattr(target, "__doc__", None)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "") if isinstance(text, str) else ""
    return first if len(first) <= _MAX_DOC else f"{first[: _MAX_DOC - 1]}…"


def _is_method(kind: type, name: str) -> bool:
    try:
        value = getattr(kind, name)
    except AttributeError:  # a descriptor that only instances have
        return False
    return callable(value) and not inspect.isclass(value)


def _is_bound(kind: type, name: str) -> bool:
    """Nothing of its signature is for the instance."""
    found = inspect.getattr_static(kind, name)
    return isinstance(found, (staticmethod, classmethod)) or inspect.ismethod(getattr(kind, name)) or not hasattr(type(found), "__get__")
