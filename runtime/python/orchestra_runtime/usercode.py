"""Runs code that a user sent as text, so that tracebacks show its lines and pickle finds its classes."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType
from typing import Any


def run(code: str, filename: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """Executes `code` with one dict as globals, which begins with `namespace`, and gives that dict. Raises what the code raises.

    The code is the module `__main__`: classes that it defines have a module to be found in (pickle, dataclasses, typing), and
    cloudpickle stores them by value. `filename` names the code in tracebacks: "<function clean>".
    """
    module = ModuleType("__main__")
    module.__dict__.update(namespace)
    sys.modules["__main__"] = module
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    exec(compile(code, filename, "exec", dont_inherit=True), module.__dict__)
    return module.__dict__
