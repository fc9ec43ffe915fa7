"""Everything that this package raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


class OrchestraError(Exception):
    """The base of them all."""


class ServerUnreachable(OrchestraError):
    """No answer: the connection was refused, cut, or silent for too long."""


class WaitTimeout(OrchestraError, TimeoutError):
    """The step had not ended when the time given to `wait` was over. It goes on running."""


class ResultNotLoadable(OrchestraError):
    """The result has no form that this process can load safely. `artifact()` still gives it as a file."""


class LossWarning(UserWarning):
    """A value of an uploaded table is not kept exactly as it was."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one member of the request: `pointer` names it as a JSON pointer."""

    pointer: str
    detail: str


class ApiError(OrchestraError):
    """The server refused. Carries its problem details (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]):
        self.status = status
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail") or problem.get("result") or self.title or f"HTTP status {status}")
        self.instance = str(problem.get("instance", ""))
        self.errors = tuple(FieldError(str(each.get("pointer", "")), str(each.get("detail", "")))
                            for each in problem.get("errors") or ())
        self.problem = dict(problem)
        super().__init__(f"{status} {self.title}: {self.detail}" if self.title else f"{status}: {self.detail}")


class BadRequest(ApiError):
    """400: no JSON, or JSON that the API does not read."""


class Unauthorized(ApiError):
    """401: the server asks for a token, and there was none, or one that it does not know."""


class NotFound(ApiError):
    """404: there is no step of that name, or it has no result yet."""


class NotAcceptable(ApiError):
    """406: a parent, field, class, method, parameter or URL is wrong; `errors` says which."""


class Conflict(ApiError):
    """409: the name is taken, the step is busy or used by others, or it has ended already."""


class TooLarge(ApiError):
    """413"""


class UnsupportedMedia(ApiError):
    """415"""


class Unavailable(ApiError):
    """429 or 503, still so after some attempts."""


class OutOfSpace(ApiError):
    """507: the server's disk is nearly full."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest, 401: Unauthorized, 404: NotFound, 406: NotAcceptable, 409: Conflict, 413: TooLarge, 415: UnsupportedMedia,
    429: Unavailable, 503: Unavailable, 507: OutOfSpace,
}


def error_of(response: httpx.Response) -> ApiError:
    """The exception for an answer of 400 or more, whose body has been read."""
    try:
        problem = response.json()
    except ValueError:
        problem = {"title": response.reason_phrase, "detail": response.text[:500]}
    if not isinstance(problem, dict):
        problem = {"detail": str(problem)[:500]}
    return _BY_STATUS.get(response.status_code, ApiError)(response.status_code, problem)


class StepFailed(OrchestraError):
    """A step that was waited for failed. The text ends with the traceback of the user's code, if there is one."""

    def __init__(self, metadata: Mapping[str, Any], traceback: str = ""):
        self.metadata = dict(metadata)
        self.name = str(metadata.get("name", ""))
        self.status = str(metadata.get("status", ""))
        self.reason = str(metadata.get("reason") or "")
        self.exception = str(metadata.get("lastError") or metadata.get("exception") or "")
        self.traceback = traceback
        super().__init__(self._text())

    def _text(self) -> str:
        what = "was cancelled" if self.status == "cancelled" else "failed"
        reason = f" ({self.reason})" if self.reason not in ("", "error") else ""
        text = f"{self.name} {what}{reason}" + (f": {self.exception}" if self.exception else "")
        return f"{text}\n\n{self.traceback.rstrip()}" if self.traceback else text


class StepCancelled(StepFailed):
    """A step that was waited for was cancelled."""
