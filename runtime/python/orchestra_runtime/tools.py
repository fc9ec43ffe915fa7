"""The two tools: which modules their services may call, and finding there what a request names.

The list keeps requests to what the tool is about, and says early what is a mistake. It is no sandbox: user code runs in steps
anyway.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from orchestra_runtime import experimental
from orchestra_runtime.refusals import BadRequest, instead, public

# A prefix stands for the module of that name and all below it.
OWN = {
    "scikitlearn": ("sklearn", "xgboost", "lightgbm", "imblearn", "orchestra.tuning"),
    "tensorflow": ("tensorflow", "keras", "orchestra.tuning"),
}
_ARRAYS = ("numpy", "pandas", "scipy", "sklearn")
GENERAL = {  # which services may also call what belongs to no tool
    "transform": _ARRAYS,
    "evaluate": _ARRAYS,
    "explore": (*_ARRAYS, "matplotlib", "seaborn"),
}


class Toolbox:
    """What the service of a tool may call. `widened` are prefixes that the step's environment adds to the tool's own."""

    def __init__(self, service: str, tool: str, widened: Iterable[str] = ()) -> None:
        self.tool = tool
        self.own = (*OWN[tool], *widened)
        self.callable_from = tuple(dict.fromkeys((*self.own, *GENERAL.get(service, ()))))

    def owns(self, kind: type) -> bool:
        """The class, or one that it derives from, lies in the tool's own modules."""
        return any(_lies_in(base.__module__, self.own) for base in kind.__mro__)

    def trusts(self, type_name: str) -> bool:
        return _lies_in(type_name, self.callable_from)

    def find(self, module_path: str, name: str) -> Callable[..., Any]:
        """What a request names by `modulePath` and `class`. BadRequest."""
        if not _lies_in(module_path, self.callable_from):
            raise BadRequest(f"modulePath: '{module_path}' does not belong to {self.tool}: {self._modules()}")
        module = _imported(module_path)
        experimental.enable(name)
        target = None if name.startswith("_") else getattr(module, name, None)
        if target is None:
            raise BadRequest(f"class: module '{module_path}' has no '{name}': {instead(name, _callables(module))}")
        if not callable(target):
            raise BadRequest(f"class: '{name}' of module '{module_path}' is a {type(target).__name__}, and cannot be called")
        home = getattr(target, "__module__", None)
        if not _lies_in(home, self.callable_from):
            raise BadRequest(f"class: '{name}' of module '{module_path}' comes from module '{home}', "
                             f"which does not belong to {self.tool}: {self._modules()}")
        return target  # type: ignore[no-any-return]

    def _modules(self) -> str:
        return f"its modules are {', '.join(self.callable_from)}"


def _lies_in(module: Any, prefixes: Iterable[str]) -> bool:
    return isinstance(module, str) and any(module == each or module.startswith(f"{each}.") for each in prefixes)


def _imported(path: str) -> ModuleType:
    if not all(part.isidentifier() for part in path.split(".")):
        raise BadRequest(f"modulePath: '{path}' is no name of a module")
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if path != missing and not path.startswith(f"{missing}."):
            raise  # something that the module itself needs
        raise BadRequest(_missing(path, missing)) from None


def _missing(path: str, missing: str) -> str:
    parent, _, name = missing.rpartition(".")
    if not parent:
        return f"modulePath: '{missing}' is not installed in the environment of this step"
    known = public(dir(importlib.import_module(parent)))
    return f"modulePath: there is no module '{path}': '{parent}' has no '{name}': {instead(name, known)}"


def _callables(module: ModuleType) -> list[str]:
    return [name for name in public(dir(module)) if callable(getattr(module, name, None))]
