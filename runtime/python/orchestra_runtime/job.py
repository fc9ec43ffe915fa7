"""What an operation is given: `run(job: Job) -> None`, found by operations.py.

An operation calls finish or fail once for each member; what it leaves open when it returns or raises is failed by step.py.
All methods may be called from any thread of the step.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestra_runtime import plain, storing, traces
from orchestra_runtime.channel import Channel
from orchestra_runtime.records import Input, Limits, Manifest, Member, Spark, StepFile
from orchestra_runtime.usage import Usage

RESULT = "result.json"


class Job:
    def __init__(self, step: StepFile, channel: Channel, groups: Sequence[str] = (), before_last: Callable[[], None] = lambda: None) -> None:
        """`groups`: control groups that are the job's own. `before_last` is called before the end of the last member is told: nothing of the
        job is printed after it."""
        self._step = step
        self._before_last = before_last
        self._usage = Usage(groups)
        self._channel = channel
        self._lock = threading.Lock()
        self._open = {member.name: member for member in step.members}
        self._loaded: dict[str, Any] = {}

    @property
    def token(self) -> str:
        return self._step.token

    @property
    def members(self) -> tuple[Member, ...]:
        return self._step.members

    @property
    def inputs(self) -> Mapping[str, Input]:
        """By the text that a request refers to them with: "titanic", "titanic@2"."""
        return self._step.inputs

    @property
    def clock(self) -> str:
        """The time for which the step runs, by RFC 3339: the one it was scheduled for, else the one at which it was accepted."""
        return self._step.clock

    @property
    def limits(self) -> Limits:
        return self._step.limits

    @property
    def database(self) -> str | None:
        """The URL of the database that the request names, with its password: nothing that anybody may be shown."""
        return self._step.database

    @property
    def spark(self) -> Spark | None:
        return self._step.spark

    @property
    def modules(self) -> tuple[str, ...]:
        """Prefixes that widen what the services of a tool may call."""
        return (*self._step.modules, *(module for each in self.inputs.values() for module in each.modules))

    @property
    def environments(self) -> str | None:
        """Where environments are made."""
        return str(self._step.environments) if self._step.environments else None

    @property
    def checkpoint(self) -> str | None:
        """A folder that outlives attempts."""
        return str(self._step.checkpoint) if self._step.checkpoint else None

    @property
    def nullable(self) -> bool:
        """Whether the request asks for tables with the types of pandas that know nulls."""
        return any(member.request.get("nullable") is True for member in self.members)

    @property
    def open_members(self) -> tuple[Member, ...]:
        """Those that have neither finished nor failed."""
        with self._lock:
            return tuple(self._open.values())

    def input(self, reference: str) -> Input:
        """LookupError when the job was not given it."""
        if reference not in self.inputs:
            raise LookupError(f"'{reference}' is not among the inputs of this step ({', '.join(sorted(self.inputs)) or 'none'})")
        return self.inputs[reference]

    def load(self, reference: str) -> Any:
        """The stored value, once per job: a table or model's rows as pandas.DataFrame, an object as itself, a blob as an open
        binary file. LookupError when the job was not given it, storing.LoadFailed when it cannot be read here."""
        stored = self.input(reference)
        with self._lock:
            if reference not in self._loaded:
                self._loaded[reference] = storing.load(reference, stored, self.nullable)
            return self._loaded[reference]

    def progress(self, member: str, data: Mapping[str, Any]) -> None:
        """Shown to those who observe the member; at most 60 kB of JSON."""
        self._channel.send({"type": "progress", "member": member, "data": data})

    def finish(self, member: str, result: Manifest, facts: Mapping[str, Any] | None = None) -> None:
        """What `result` does not hold itself lies complete in the member's staging folder; `facts` are added to the metadata."""
        outcome = {"status": "finished", "manifest": result.to_json(), "facts": dict(facts or {})}
        inline = result.to_inline_json()
        self._end(member, outcome, outcome | {"manifest": inline} if inline else None, result.inline)

    def fail(self, member: str, exception: BaseException, facts: Mapping[str, Any] | None = None) -> None:
        """The traceback begins at the user's first frame."""
        outcome = {
            "status": "failed",
            "exception": traces.headline(exception),
            "traceback": traces.of_user(exception),
            "facts": dict(facts or {}),
        }
        if traces.is_memory(exception):
            outcome["reason"] = "out_of_memory"
        self._end(member, outcome, outcome, {})

    def on_stop_member(self, stop: Callable[[str], None]) -> None:
        """From now on, `stop` is called with a member's name, on a thread of its own, when only that member shall end. The
        operation then ends it by fail or finish as it likes: the server has its own word for a member it stopped."""

        def listen() -> None:
            for message in self._channel.messages():
                if message.get("type") == "stop_member":
                    stop(str(message.get("member")))

        threading.Thread(target=listen, name="stop_member", daemon=True).start()

    def _end(self, name: str, outcome: dict[str, Any], whole: dict[str, Any] | None, inline: Mapping[str, bytes]) -> None:
        """`whole`: the outcome when it needs no files. It then travels in the message, where that has room and somebody listens."""
        with self._lock:
            member = self._open.pop(name, None)
            message = {"type": "member_ended", "member": name} | ({} if self._open else {"last": self._usage.so_far()})
        if member is None:
            raise RuntimeError(f"member '{name}' is unknown or has ended already")
        if whole is not None and self._told(message | {"result": whole}):
            return
        for part, content in inline.items():
            (member.staging / part).write_bytes(content)
        path = member.staging / RESULT
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(plain.jsonable(outcome), allow_nan=False), encoding="utf-8")
        os.rename(partial, path)
        self._told(message)

    def _told(self, message: dict[str, Any]) -> bool:
        try:
            if "last" in message:
                self._before_last()
            self._channel.send(message)
        except (OSError, ValueError, RuntimeError):  # nobody listens, it is too large, or the output is not ours to close
            return False
        return True
