"""Handles of steps, for the client that awaits. What each method does is said at `Step`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from learning_orchestra import _flows, frames, results
from learning_orchestra.progress import Show, close, shower
from learning_orchestra.references import Reference
from learning_orchestra.step import by_name

if TYPE_CHECKING:
    import pandas

    from learning_orchestra.async_client import AsyncClient


class AsyncStep:
    """A step on the server. It holds nothing but the name."""

    def __init__(self, client: AsyncClient, service: str, name: str):
        self._client = client
        self.service = service
        self.name = name

    def __repr__(self) -> str:
        return f"<AsyncStep {self.name} of {self.service}>"

    def __str__(self) -> str:
        return f"${self.name}"

    def __getitem__(self, key: str | int) -> Reference:
        return Reference(f"${self.name}")[key]

    async def metadata(self) -> dict[str, Any]:
        return await self._client.run(_flows.metadata(self.name))

    async def status(self) -> str:
        return str((await self.metadata())["status"])

    async def metrics(self) -> dict[str, float]:
        return dict((await self.metadata()).get("metrics") or {})

    async def wait(self, timeout: float | None = None, *, progress: bool | Show | None = None) -> AsyncStep:
        await self._wait(timeout, progress)
        return self

    async def _wait(self, timeout: float | None, progress: bool | Show | None = None) -> _flows.Metadata:
        show = shower(self._client.progress if progress is None else progress)
        try:
            return await self._client.run(_flows.wait(self.service, self.name, timeout, show))
        finally:
            close(show)

    async def result(self, timeout: float | None = None, *, unpickle: bool = False) -> Any:
        return await self._client.run(results.load(await self._wait(timeout), unpickle))

    async def to_pandas(self, timeout: float | None = None) -> pandas.DataFrame:
        await self._wait(timeout)
        return frames.frame_of((await self._client.run(_flows.content(self.name, "parquet"))).content)

    async def rows(self, query: Mapping[str, Any] | None = None, limit: int | None = 20, skip: int = 0) -> list[dict[str, Any]]:
        return await self._client.run(_flows.rows(self.service, self.name, query, limit, skip))

    async def profile(self, fields: Sequence[str] | None = None, *, revision: int | None = None) -> dict[str, Any]:
        return await self._client.run(_flows.profile(self.service, self.name, fields, revision))

    async def artifact(self, path: str | Path | None = None, format: str | None = None, *, revision: int | None = None) -> Path:
        return await self._client.download(_flows.artifact_call(self.name, format, revision), path, self.name)

    async def picture(self, timeout: float | None = None) -> results.Picture:
        await self._wait(timeout)
        return results.Picture((await self._client.run(_flows.content(self.name))).content)

    @overload
    def logs(self, follow: Literal[False] = False) -> Coroutine[Any, Any, str]: ...

    @overload
    def logs(self, follow: Literal[True]) -> AsyncIterator[str]: ...

    def logs(self, follow: bool = False) -> Coroutine[Any, Any, str] | AsyncIterator[str]:
        """`await step.logs()`, or `async for text in step.logs(follow=True)`."""
        return self._client.follow(self.name) if follow else self._client.run(_flows.log(self.name))

    async def cancel(self) -> AsyncStep:
        await self._client.run(_flows.cancel(self.name))
        return self

    async def rerun(self, cascade: bool = False) -> AsyncStep:
        await self._client.run(_flows.rerun(self.name, cascade))
        return self

    async def update(self, **changes: Any) -> AsyncStep:
        await self._client.run(_flows.update(self.service, self.name, _flows.changed(changes)))
        return self

    async def delete(self, cascade: bool = False) -> int:
        return await self._client.run(_flows.delete(self.service, self.name, cascade))


class AsyncSteps(Sequence[AsyncStep]):
    """Several steps, taken as of `Steps`."""

    def __init__(self, steps: Sequence[AsyncStep]):
        self._steps = list(steps)

    @overload
    def __getitem__(self, key: int | str) -> AsyncStep: ...

    @overload
    def __getitem__(self, key: slice) -> AsyncSteps: ...

    def __getitem__(self, key: int | str | slice) -> AsyncStep | AsyncSteps:
        if isinstance(key, slice):
            return AsyncSteps(self._steps[key])
        found: AsyncStep = self._steps[key] if isinstance(key, int) else by_name(self._steps, key)
        return found

    def __len__(self) -> int:
        return len(self._steps)

    def __repr__(self) -> str:
        return f"<AsyncSteps {', '.join(step.name for step in self)}>"

    async def wait(self, timeout: float | None = None, *, progress: bool | Show | None = None) -> AsyncSteps:
        """Returns once all have ended; raises for the first that failed, after the others have ended."""
        waits = (step.wait(timeout, progress=progress) for step in self)
        ends = await asyncio.gather(*waits, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return self
