"""What handles do, as flows."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from learning_orchestra._calls import PREFIX, Call, Flow, Pause, ask, ask_json
from learning_orchestra._uploads import Upload
from learning_orchestra.errors import ServerUnreachable, StepCancelled, StepFailed, WaitTimeout
from learning_orchestra.functions import code_of
from learning_orchestra.progress import Progress, Show
from learning_orchestra.references import encode

TERMINAL = ("finished", "failed", "cancelled")
PAGE = 1000
LONGEST_POLL = 50  # seconds: less than what proxies cut
UNREACHABLE_FOR = 60.0  # seconds a wait outlasts a server that is away, for instance because it restarts
QUIET = 15.0  # seconds: an event stream has a comment that often
_SHOWING = 0.1  # seconds between two looks at progress that comes faster
_EXPORT = 600.0
_WITH_ROWS = ("dataset/", "transform/projection", "transform/dataType", "explore/histogram", "builder/")

Metadata = dict[str, Any]
Made = list[tuple[str, str]]  # (service, name) of each step


def metadata(name: str) -> Flow[Metadata]:
    result: Metadata = (yield from ask_json(Call("GET", f"step/{name}")))["result"]
    return result


def wait(service: str, name: str, timeout: float | None, show: Show | None = None) -> Flow[Metadata]:
    """Returns once the step has finished. Asks the server to answer at the end, or at the next event when progress is shown."""
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    seen = 0
    while True:
        left = deadline - time.monotonic()
        answer = yield from observed(name, max(0.0, min(LONGEST_POLL, left)), seen if show else None)
        result: Metadata = answer["result"]
        for event in answer.get("events", ()):
            seen = max(seen, int(event["id"]))
            if show is not None and event["event"] == "progress":
                show(Progress(name, event["progress"]))
        if result["status"] in TERMINAL:
            yield from _check(service, result)
            return result
        if left <= 0:
            raise WaitTimeout(f"{name} is {result['status']} after {timeout:g} s")
        if show is not None:
            yield Pause(_SHOWING)


def observed(name: str, seconds: float, after: int | None) -> Flow[dict[str, Any]]:
    """The state at the end of the step, or after the next event past `after`, or when the time is over."""
    params: dict[str, str | int] = {"wait": math.ceil(seconds)}
    if after is not None:
        params["after"] = after
    call = Call("GET", f"observe/{name}", params, patience=seconds)
    return (yield from _outlast(call))


def _outlast(call: Call) -> Flow[dict[str, Any]]:
    """The answer, also of a server that was away for a while."""
    pause, away_since = 0.1, 0.0
    while True:
        try:
            return (yield from ask_json(call))
        except ServerUnreachable:
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > UNREACHABLE_FOR:
                raise
        yield Pause(pause)
        pause = min(2.0, pause * 2)


def _check(service: str, result: Metadata) -> Flow[None]:
    """StepFailed unless it finished. A dataset whose types could not be changed stays finished, and says so."""
    broken = result["status"] != "finished"
    if not broken and not (service == "transform/dataType" and result.get("lastError")):
        return
    traceback = yield from _traceback(result)
    raise (StepCancelled if result["status"] == "cancelled" else StepFailed)(result, traceback)


def _traceback(result: Metadata) -> Flow[str]:
    """From the last execution document. Services whose documents are rows have none."""
    service, name = str(result.get("type", "")), result["name"]
    if service.startswith(_WITH_ROWS) or result["status"] == "finished":
        return ""
    suffix = "/metadata" if service.startswith("explore/") else ""
    answer = yield from ask_json(Call("GET", f"{service}/{name}{suffix}", {"limit": PAGE}))
    documents = [each for each in answer["result"] if each.get("_id")]
    return str(documents[-1].get("exception") or "") if documents else ""


def rows(service: str, name: str, query: Mapping[str, Any] | None, limit: int | None, skip: int) -> Flow[list[dict[str, Any]]]:
    """Documents but the metadata, page after page until `limit`."""
    condition = json.dumps({"$and": [{"_id": {"$gt": 0}}, query]}) if query else "{}"
    skip += 0 if query else 1
    suffix = "/metadata" if service.startswith("explore/") and service != "explore/histogram" else ""
    found: list[dict[str, Any]] = []
    while limit is None or len(found) < limit:
        size = PAGE if limit is None else min(PAGE, limit - len(found))
        params: dict[str, str | int] = {"query": condition, "limit": size, "skip": skip + len(found)}
        page = (yield from ask_json(Call("GET", f"{service}/{name}{suffix}", params)))["result"]
        found += page
        if len(page) < size:
            break
    return found


def profile(service: str, name: str, fields: Sequence[str] | None, revision: int | None) -> Flow[dict[str, Any]]:
    params: dict[str, str | int] = {} if fields is None else {"fields": ",".join(fields)}
    if revision is not None:
        params["revision"] = revision
    result: dict[str, Any] = (yield from ask_json(Call("GET", f"{service}/{name}/profile", params, patience=_EXPORT)))["result"]
    return result


def artifact_call(name: str, format: str | None, revision: int | None = None) -> Call:
    params: dict[str, str | int] = {} if format is None else {"format": format}
    if revision is not None:
        params["revision"] = revision
    return Call("GET", f"step/{name}/artifact", params, patience=_EXPORT)


def content(name: str, format: str | None = None, revision: int | None = None) -> Flow[httpx.Response]:
    return ask(artifact_call(name, format, revision))


def log(name: str) -> Flow[str]:
    return (yield from ask(Call("GET", f"step/{name}/log", patience=_EXPORT))).text


def listed(path: str, limit: int | None, **filters: str | None) -> Flow[list[Metadata]]:
    found: list[Metadata] = []
    fixed = {key: value for key, value in filters.items() if value is not None}
    while limit is None or len(found) < limit:
        size = PAGE if limit is None else min(PAGE, limit - len(found))
        page = (yield from ask_json(Call("GET", path, {**fixed, "limit": size, "skip": len(found)})))["result"]
        found += page
        if len(page) < size:
            break
    return found


def built(call: Call) -> Flow[Made]:
    """The steps that a call made, which answers with their URLs: (service, name) of each."""
    urls = (yield from ask_json(call))["result"]
    return [_step_of(url) for url in ([urls] if isinstance(urls, str) else urls)]


def _step_of(url: str) -> tuple[str, str]:
    service, _, name = urlsplit(url).path.removeprefix(f"{PREFIX}/").rpartition("/")
    return service, name


def delete(service: str, name: str, cascade: bool) -> Flow[int]:
    params = {"cascade": "true"} if cascade else {}
    answer = yield from ask_json(Call("DELETE", f"{service}/{name}", params))
    return int(answer.get("bytesFreed", 0))


def cancel(name: str) -> Flow[None]:
    yield from ask(Call("POST", f"step/{name}/cancel"))


def rerun(name: str, cascade: bool) -> Flow[None]:
    yield from ask(Call("POST", f"step/{name}/rerun", {"cascade": "true"} if cascade else {}))


def update(service: str, name: str, changes: Mapping[str, Any]) -> Flow[None]:
    yield from ask(Call("PATCH", f"{service}/{name}", body=dict(changes)))


def changed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PATCH: parameters may hold handles, `function` may be a Python function."""
    body = {key: value if key == "function" else encode(value) for key, value in changes.items()}
    if "function" in body:
        body["function"] = code_of(body["function"], changes.get("functionParameters", {}))
    return body


def countdown(timeout: float | None) -> Callable[[], float | None]:
    """What is left of a time, each time it is asked."""
    end = None if timeout is None else time.monotonic() + timeout
    return lambda: None if end is None else max(0.0, end - time.monotonic())


def put_call(name: str, upload: Upload, types: Mapping[str, str], options: Mapping[str, Any]) -> Call:
    more = {key: value if isinstance(value, str) else json.dumps(value) for key, value in options.items()}
    params = {"datasetName": name, "types": json.dumps(types), **more}
    return Call("POST", "dataset/csv", params, upload=upload, headers={"Content-Type": "text/csv"})


def found(limit: int | None, kind: str | None, status: str | None, label: str | None,
          stale: bool | None) -> Flow[Made]:
    wanted = None if stale is None else str(stale).lower()
    steps = yield from listed("step", limit, type=kind, status=status, label=label, stale=wanted)
    return [(each["type"], each["name"]) for each in steps]


def events_call(name: str | None, kind: str | None, label: str | None, last_id: str | None) -> Call:
    params = {key: value for key, value in {"name": name, "type": kind, "label": label}.items() if value is not None}
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    return Call("GET", "observe/stream", params, headers=headers, patience=QUIET)


def log_call(name: str) -> Call:
    return Call("GET", f"step/{name}/log", {"follow": "true"}, patience=QUIET)
