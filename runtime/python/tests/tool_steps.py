"""Steps of the services of a tool, for the tests of them."""

from __future__ import annotations

from typing import Any

from conftest import Ended, ForkServer, Running

LOGISTIC = {"modulePath": "sklearn.linear_model", "class": "LogisticRegression"}
DATA = "import numpy\nr = numpy.random.RandomState(0)\nx = r.rand(60, 3)\nresponse = {'x': x, 'y': (x[:, 0] > 0.5).astype(int)}"


def start(server: ForkServer, operation: str, request: dict[str, Any], upload: str | None = None, **more: Any) -> Running:
    member = {"name": "f", "operation": operation, "request": request}
    return server.start(member | ({"upload": upload} if upload else {}), **more)


def run(server: ForkServer, operation: str, request: dict[str, Any], inputs: dict[str, Ended] | None = None, **more: Any) -> Ended:
    """`inputs` are steps that have ended."""
    given = {name: ended.as_input() for name, ended in (inputs or {}).items()}
    return start(server, operation, request, inputs=given, **more).ended()


def on(line: list[str], method: str, parameters: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A request of the instance form."""
    return {"parentName": line[-1], "line": line, "method": method, "methodParameters": parameters or {}} | more


def shown(server: ForkServer, code: str, **inputs: Ended) -> str:
    """What code prints that has the results of steps as globals."""
    given = {name: ended.as_input() for name, ended in inputs.items()}
    ended = server.run(f"{code}\nresponse = 0", {name: f"${name}" for name in inputs}, inputs=given)
    ended.finished()
    return ended.output.strip()
