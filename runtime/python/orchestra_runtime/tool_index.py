"""The index of the tools' modules. Its format is described in orchestra_tool_index.py."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType

from orchestra_runtime import tools
from orchestra_runtime.callables import Callables

MISSING = 3  # exit status
_NEEDED = {"scikitlearn": "sklearn", "tensorflow": "keras"}  # the other modules of a tool are indexed where they are installed
_NOT_COVERED = ("tensorflow",)  # too wide: all but its Keras is left to the steps
_NOT_PUBLIC = ("tests", "testing", "externals", "conftest", "src")
_ALIASES = {"tensorflow.keras": "keras"}


class ToolMissing(Exception):
    """Names the tool and what it lacks."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="orchestra_tool_index.py")
    parser.add_argument("--tool", action="append", required=True, choices=sorted(_NEEDED))
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    try:
        write(index(sorted(set(options.tool))), options.out)
    except ToolMissing as why:
        print(why, file=sys.stderr)
        return MISSING
    return 0


def index(wanted: Sequence[str]) -> dict[str, object]:
    """Raises ToolMissing."""
    covered = {tool: list(_covered(tool)) for tool in wanted}
    prefixes = sorted({prefix for each in covered.values() for prefix in each})
    modules = {name: module for prefix in prefixes for name, module in _modules(prefix)}
    found = Callables(tuple(prefix.partition(".")[0] for prefix in prefixes))
    aliases = {alias: real for alias, real in _ALIASES.items() if alias in prefixes}
    listed = {name: found.of_module(modules[name]) for name in sorted(modules)}
    return {
        "v": 1,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "packages": _versions(prefixes),
        "tools": {tool: {"allowed": allowed, "covered": covered.get(tool, [])} for tool, allowed in tools.OWN.items()},
        "general": tools.GENERAL,
        "aliases": aliases,
        **found.tables({name: each for name, each in listed.items() if each != listed.get(_real_name(name, aliases))}),
    }


def write(content: dict[str, object], out: Path) -> None:
    partial = out.with_name(f"{out.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    os.rename(partial, out)


def _covered(tool: str) -> Iterator[str]:
    """Module prefixes that are here to be looked at."""
    for prefix in tools.OWN[tool]:
        try:
            if prefix not in _NOT_COVERED:
                importlib.import_module(prefix)
                yield prefix
        except ImportError as error:
            if prefix == _NEEDED[tool]:
                raise ToolMissing(f"tool '{tool}': {error}") from error
    yield from (alias for alias in _ALIASES if alias.partition(".")[0] in tools.OWN[tool])


def _modules(prefix: str) -> Iterator[tuple[str, ModuleType]]:
    """The public ones from `prefix` down, imported; without those that need what is not installed."""
    try:
        module = importlib.import_module(prefix)
    except ImportError:
        return
    yield prefix, module
    for each in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not each.name.startswith("_") and each.name not in _NOT_PUBLIC:
            yield from _modules(f"{prefix}.{each.name}")


def _real_name(name: str, aliases: dict[str, str]) -> str:
    """What the reader of an aliased module's name would look at instead; "" for other modules."""
    for alias, real in aliases.items():
        if name == alias or name.startswith(f"{alias}."):
            return real + name.removeprefix(alias)
    return ""


def _versions(prefixes: Sequence[str]) -> dict[str, str]:
    packages = metadata.packages_distributions()
    names = {name for prefix in prefixes for name in packages.get(prefix.partition(".")[0], ())}
    return {re.sub("[-_.]+", "-", name).lower(): metadata.version(name) for name in sorted(names)}
