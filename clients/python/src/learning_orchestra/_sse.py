"""Server-sent events, line by line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event: `kind` is its type (accepted, running, progress, finished, …), `data` what it says."""

    kind: str
    data: dict[str, Any]
    id: str = ""


class Parser:
    """Feed it lines; it gives an event at the end of each."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}

    def feed(self, line: str) -> Event | None:
        if line:
            self._keep(line)
            return None
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        return Event(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id", ""))

    def _keep(self, line: str) -> None:
        if line.startswith(":"):
            return
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "data" and "data" in self._fields:
            value = f"{self._fields['data']}\n{value}"
        self._fields[key] = value
