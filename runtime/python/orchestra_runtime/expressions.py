"""`#expression`: a Python expression that gives an instance; the modules that it names are imported."""

from __future__ import annotations

import ast
import builtins
import importlib
from types import ModuleType
from typing import Any


def evaluate(expression: str) -> Any:
    """Raises what compiling, importing and calling raise."""
    tree = ast.parse(expression.strip(), "<expression>", mode="eval")
    namespace = {path[0]: _imported(path) for path in sorted(_paths(tree), key=len)}
    return eval(compile(tree, "<expression>", "eval"), namespace)


def _paths(tree: ast.AST) -> set[tuple[str, ...]]:
    """Dotted names that begin outside the expression: tensorflow.keras.layers.Dense as a tuple."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | set(dir(builtins))
    return {path for node in ast.walk(tree) if (path := _dotted(node)) and path[0] not in bound}


def _dotted(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return (*before, node.attr)
    return ()


def _imported(path: tuple[str, ...]) -> ModuleType:
    """The first name's module, with the modules below it that the rest names."""
    root = module = importlib.import_module(path[0])
    for end in range(2, len(path) + 1):
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
