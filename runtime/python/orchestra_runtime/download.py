"""Code and files that a request gives as a URL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestra_runtime import addresses

MAX_BYTES = 16 * 1024 * 1024
TIMEOUT = 30.0  # seconds without a byte
_HANDLERS = ("HTTPRedirectHandler", "HTTPDefaultErrorHandler", "HTTPErrorProcessor", "UnknownHandler")


class DownloadFailed(RuntimeError):
    """Names the field, the URL and what went wrong."""


def code(text_or_url: str, field: str) -> str:
    """The text itself, or what its http or https URL gives. Raises DownloadFailed."""
    if not text_or_url.startswith(("http://", "https://")):
        return text_or_url
    url = text_or_url.strip()
    try:
        return _fetched(url)
    except (OSError, ValueError) as error:  # URLError and HTTPError are OSErrors, UnicodeDecodeError is a ValueError
        raise DownloadFailed(f"{field}: the code could not be read from {url}: {error}") from error


def file(url: str, field: str, path: Path) -> None:
    """Writes what an http or https URL gives, whatever its size. Raises DownloadFailed."""
    try:
        with _opened(url.strip()) as answer, open(path, "wb") as target:
            shutil.copyfileobj(answer, target)
            if answer.length:  # what was announced and did not come
                raise OSError(f"it ended {answer.length} bytes early")
    except (OSError, ValueError) as error:
        raise DownloadFailed(f"{field}: {url} could not be read: {error}") from error


def _fetched(url: str) -> str:
    with _opened(url) as answer:
        body: bytes = answer.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    return body.decode(answer.headers.get_content_charset() or "utf-8")


@contextmanager
def _opened(url: str) -> Iterator[Any]:
    """OSError, also for what is no HTTP."""
    from http.client import HTTPException
    from urllib import request

    opener = request.OpenerDirector()  # http and https alone, also after a redirect; no proxy, which would connect in our place
    for handler in (*_checked_handlers(), *(getattr(request, name)() for name in _HANDLERS)):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            yield answer
    except HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _checked_handlers() -> Iterator[Any]:
    """Of http and https: each connection, also one after a redirect, goes to an address that is allowed."""
    from http.client import HTTPConnection, HTTPSConnection
    from urllib import request

    def opening(kind: type[HTTPConnection]) -> Any:
        def connection(*arguments: Any, **more: Any) -> HTTPConnection:
            made = kind(*arguments, **more)
            made._create_connection = addresses.connect  # type: ignore[attr-defined]
            return made

        return connection

    class Http(request.HTTPHandler):
        def http_open(self, asked: request.Request) -> Any:
            return self.do_open(opening(HTTPConnection), asked)

    class Https(request.HTTPSHandler):
        def https_open(self, asked: request.Request) -> Any:
            return self.do_open(opening(HTTPSConnection), asked)

    yield from (Http(), Https())
