"""`#expression`: a Python expression that gives an instance; the modules that it names are imported."""

from __future__ import annotations

import ast
import builtins
import importlib
import linecache
import symtable
from types import ModuleType
from typing import Any

from orchestra_runtime import experimental


def evaluate(expression: str, filename: str = "<expression>") -> Any:
    """Raises what compiling, importing and calling raise. `filename` names the expression in tracebacks."""
    code = expression.strip()
    tree = ast.parse(code, filename, mode="eval")
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    free = _free_names(symtable.symtable(code, filename, "eval"))
    paths = {path for node in ast.walk(tree) if (path := _dotted(node)) and path[0] in free}
    namespace: dict[str, Any] = {path[0]: _imported(path) for path in sorted(paths, key=len)}
    namespace["__name__"] = "__main__"  # cloudpickle stores functions of that module by value
    return eval(compile(tree, filename, "eval"), namespace)


def _free_names(table: symtable.SymbolTable) -> set[str]:
    """Those that neither the expression binds nor Python has."""
    found, bound, scopes = set(), set(dir(builtins)), [table]
    while scopes:
        scope = scopes.pop()
        outer = [symbol for symbol in scope.get_symbols() if symbol.is_global()]
        found |= {symbol.get_name() for symbol in outer}
        bound |= {symbol.get_name() for symbol in outer if symbol.is_assigned()}
        scopes += scope.get_children()
    return found - bound


def _dotted(node: ast.AST) -> tuple[str, ...]:
    """tensorflow.keras.layers.Dense as a tuple."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return (*before, node.attr)
    return ()


def _imported(path: tuple[str, ...]) -> ModuleType:
    """The first name's module, with the modules below it that the rest names."""
    root = module = importlib.import_module(path[0])
    for end in range(2, len(path) + 1):
        experimental.enable(path[end - 1])
        if not hasattr(module, path[end - 1]):
            try:
                importlib.import_module(".".join(path[:end]))
            except ModuleNotFoundError as error:
                if error.name != ".".join(path[:end]):
                    raise
                break  # no module: evaluating says that there is no such attribute
        module = getattr(module, path[end - 1])
        if not isinstance(module, ModuleType):
            break
    return root
