"""Waiting for steps, and seeing their changes."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from typing import Any

from learning_orchestra import NotFound, _flows

_log = logging.getLogger("learning_orchestra_client")


class Observer:
    """Asks the server's observe service, which answers when something has happened."""

    def __init__(self, cluster_ip: str):
        from learning_orchestra_client._service import connect

        self._client = connect(cluster_ip)

    def wait(self, name: str, timeout: int | None = None) -> dict[str, Any]:
        """The metadata once the step has ended, well or not; after `timeout` seconds as it then is. {} for an unknown name."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            seconds = max(0.0, min(_flows.LONGEST_POLL, left))
            try:
                metadata: dict[str, Any] = self._client.run(_flows.observed(name, seconds, None))["result"]
            except NotFound as error:
                _log.warning(error.detail)
                return {}
            if metadata["status"] in _flows.TERMINAL or left <= 0:
                return self._told(metadata)

    def _told(self, metadata: dict[str, Any]) -> dict[str, Any]:
        problem = metadata.get("lastError") or metadata.get("exception")
        if problem:
            _log.warning("%s: %s", metadata.get("name"), problem)
        return metadata

    def observe_pipe(self, name: str, timeout: int | None = None) -> Changes:
        """The changes of a step from now on, one for each `next()`; it ends when none came for `timeout` seconds."""
        return Changes(self._client, name, timeout)


class Changes(Iterator[dict[str, Any]]):
    """As a MongoDB change stream: each change has an `operationType` and the step's metadata as `fullDocument`."""

    def __init__(self, client: Any, name: str, timeout: int | None):
        self._client = client
        self._name = name
        self._timeout = math.inf if timeout is None else float(timeout)
        self._seen = int(client.run(_flows.observed(name, 0.0, None))["last"])
        self._ready: list[dict[str, Any]] = []
        self.alive = True

    def __iter__(self) -> Changes:
        return self

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __next__(self) -> dict[str, Any]:
        end = time.monotonic() + self._timeout
        while self.alive and not self._ready:
            left = end - time.monotonic()
            if left <= 0:
                raise StopIteration
            self._look(min(_flows.LONGEST_POLL, left))
        if not self._ready:
            raise StopIteration
        return self._ready.pop(0)

    def next(self) -> dict[str, Any]:
        return self.__next__()

    def close(self) -> None:
        self.alive = False

    def _look(self, seconds: float) -> None:
        try:
            answer = self._client.run(_flows.observed(self._name, seconds, self._seen))
        except NotFound:
            self._ready.append({"operationType": "delete", "documentKey": {"_id": 0}})
            self.alive = False
            return
        for event in answer["events"]:
            self._seen = max(self._seen, int(event["id"]))
            kind = "insert" if event["event"] == "accepted" else "update"
            self._ready.append({"operationType": kind, "documentKey": {"_id": 0}, "fullDocument": answer["result"],
                                "event": event["event"]})
