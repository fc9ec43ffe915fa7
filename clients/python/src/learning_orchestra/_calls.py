"""What the client asks of the server, apart from how it is sent.

A *flow* is a generator that yields the calls it wants made, and is sent their answers. Each piece of behaviour is a flow once;
`Client` runs it blocking, `AsyncClient` awaiting.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import httpx

from learning_orchestra._uploads import Upload
from learning_orchestra.errors import ApiError, Conflict, ServerUnreachable, Unavailable, error_of

PREFIX = "/api/learningOrchestra/v1"
ATTEMPTS = 4
_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 30.0

_KEY = "Idempotency-Key"

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """One request. `path` is below PREFIX, except where it is absolute already (`/ready`)."""

    method: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: object = None
    upload: Upload | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    patience: float = 0.0  # seconds that the answer may take beyond the client's timeout

    @property
    def url(self) -> str:
        return self.path if self.path.startswith("/") else f"{PREFIX}/{self.path}"

    @property
    def repeatable(self) -> bool:
        return self.upload is None or self.upload.repeatable

    @property
    def keyed(self) -> bool:
        return _KEY in self.headers

    def with_key(self) -> Call:
        """Such that the server carries it out once, however often it is sent, if it makes something."""
        if self.method not in ("POST", "PATCH") or self.keyed:
            return self
        return replace(self, headers={**self.headers, _KEY: uuid.uuid4().hex})

    def all_headers(self) -> dict[str, str]:
        headers = dict(self.headers)
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.upload is not None:
            headers.setdefault("Content-Type", "application/octet-stream")
            if self.upload.size is not None:
                headers["Content-Length"] = str(self.upload.size)
        return headers

    def json_body(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body, allow_nan=False).encode()


@dataclass(frozen=True)
class Pause:
    """Instead of a call: nothing for so many seconds."""

    seconds: float


Flow = Generator[Call | Pause, Any, T]


def ask(call: Call) -> Flow[httpx.Response]:
    """The answer to a call. Tries again where the server says "not now", after the time it names, and where the connection broke
    off under a call that makes something: its key lets the server carry it out once. Raises ApiError and ServerUnreachable."""
    call = call.with_key()
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS or not call.repeatable
        try:
            response: httpx.Response = yield call
        except ServerUnreachable as error:
            if last or not call.keyed or (attempt == 1 and _never_arrived(error)):
                raise
            yield Pause(_PAUSE)
            continue
        if response.status_code < 400:
            return response
        problem = error_of(response)
        if last or not _is_passing(problem, response):
            raise problem
        yield Pause(_retry_after(response))
    raise AssertionError("unreachable")


def _never_arrived(error: ServerUnreachable) -> bool:
    return isinstance(error.__cause__, (httpx.ConnectError, httpx.ConnectTimeout))


def _is_passing(error: ApiError, response: httpx.Response) -> bool:
    """Also while the first sending of the same call is still being carried out."""
    return isinstance(error, Unavailable) or (isinstance(error, Conflict) and "Retry-After" in response.headers)


def ask_json(call: Call) -> Flow[dict[str, Any]]:
    response = yield from ask(call)
    answer: dict[str, Any] = response.json()
    return answer


def _retry_after(response: httpx.Response) -> float:
    try:
        return min(max(float(response.headers.get("Retry-After", "1")), 0.0), _LONGEST_PAUSE)
    except ValueError:
        return 1.0
