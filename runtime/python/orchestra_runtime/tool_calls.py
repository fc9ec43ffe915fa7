"""A request of a tool's service as the call that it asks for, in either form, with its values made."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestra_runtime import calls, keras_training, lines, values
from orchestra_runtime.job import Job
from orchestra_runtime.records import Member
from orchestra_runtime.refusals import BadRequest, instead
from orchestra_runtime.tools import Toolbox


@dataclass(frozen=True, slots=True)
class Outcome:
    value: Any  # what the call gave
    called: str  # "fit", "f1_score"
    instance: Any  # whose method it was, or None: a function, a class, a method of a class
    seconds: float


def toolbox(job: Job) -> Toolbox:
    service, _, tool = job.members[0].operation.partition("/")
    return Toolbox(service, tool, job.modules)


def perform(job: Job) -> Outcome:
    """Raises BadRequest, values.BadParameter, and what the call raises."""
    (member,) = job.members
    if "modulePath" in member.request:
        return _class_form(job, member)
    if "line" in member.request:
        return _instance_form(job, member)
    raise BadRequest("the request names neither a modulePath with a class, nor a parentName with a method")


def _class_form(job: Job, member: Member) -> Outcome:
    request = member.request
    name, method = request["class"], request.get("method")
    target = toolbox(job).find(request["modulePath"], name)
    of_class, of_method = _parameters(job, request, "classParameters"), _parameters(job, request, "methodParameters")
    if not method:
        field = "methodParameters" if of_method else "classParameters"
        return _timed(target, _merged(of_class, of_method), name, field)
    if _is_of_class(target, method) and "classParameters" not in request:
        return _timed(getattr(target, method), of_method, f"{name}.{method}", "methodParameters")
    instance = calls.call(target, of_class, name, "classParameters")
    return _call_method(job, member, instance, method, of_method)


def _instance_form(job: Job, member: Member) -> Outcome:
    method = member.request["method"]
    instance = lines.instance(job, member.request["line"], method, toolbox(job))
    return _call_method(job, member, instance, method, _parameters(job, member.request, "methodParameters"))


def _call_method(job: Job, member: Member, instance: Any, method: str, parameters: dict[str, Any]) -> Outcome:
    kind = type(instance).__name__
    if not lines.has_method(instance, method):
        raise BadRequest(f"method: a {kind} has no method '{method}': {instead(method, lines.methods(instance))}")
    equipped = keras_training.equipped(job, member, instance, method, parameters)
    return _timed(getattr(instance, method), equipped, f"{kind}.{method}", "methodParameters", instance)


def _timed(target: Callable[..., Any], parameters: Mapping[str, Any], name: str, field: str, instance: Any = None) -> Outcome:
    began = time.perf_counter()
    value = calls.call(target, parameters, name, field)
    return Outcome(value, name.rpartition(".")[2], instance, time.perf_counter() - began)


def _parameters(job: Job, request: Mapping[str, Any], field: str) -> dict[str, Any]:
    resolved: dict[str, Any] = values.resolve(job, request.get(field) or {}, field)
    return resolved


def _merged(of_class: dict[str, Any], of_method: dict[str, Any]) -> dict[str, Any]:
    """A call without a method has one set of parameters, under either name."""
    if both := of_class.keys() & of_method.keys():
        raise BadRequest(f"methodParameters.{min(both)}: '{min(both)}' is given in classParameters, too")
    return of_class | of_method


def _is_of_class(target: Any, method: str) -> bool:
    """A class method or a static one: it needs no instance."""
    found = inspect.getattr_static(target, method, None) if inspect.isclass(target) else None
    return isinstance(found, (classmethod, staticmethod)) and not method.startswith("_")
