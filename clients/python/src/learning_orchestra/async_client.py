"""The client that awaits. What each method does is said at `Client`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio
import httpx
from typing_extensions import Unpack

from learning_orchestra import _flows, _sse, frames, results
from learning_orchestra._calls import Call, Flow, Pause, T, ask, ask_json
from learning_orchestra.async_step import AsyncStep, AsyncSteps
from learning_orchestra.client import URL, reachable, timeout_of, trusted, with_token
from learning_orchestra.errors import OrchestraError, error_of
from learning_orchestra.progress import Show
from learning_orchestra.services import Options, Services


class AsyncClient(Services[Awaitable[AsyncStep], Awaitable[AsyncSteps]]):
    """As `Client`; every call is awaited."""

    def __init__(self, url: str = URL, *, timeout: float = 30.0, token: str | None = None, ca: str | os.PathLike[str] | None = None,
                 headers: Mapping[str, str] | None = None, progress: bool | Show | None = None,
                 transport: httpx.AsyncBaseTransport | None = None):
        super().__init__(self)
        self.url = url
        self.progress = progress
        self._timeout = timeout
        self._http = httpx.AsyncClient(base_url=url, headers=with_token(headers, token), timeout=timeout, transport=transport,
                                       verify=trusted(url, ca))

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self.url}>"

    async def close(self) -> None:
        await self._http.aclose()

    async def put(self, frame: Any, name: str, **options: Unpack[Options]) -> AsyncStep:
        upload, types = frames.csv_of(frame)
        return await self.one("dataset/csv", name, ask(_flows.put_call(name, upload, types, options)))

    async def step(self, name: str) -> AsyncStep:
        return AsyncStep(self, str((await self.run(_flows.metadata(name)))["service"]), name)

    async def steps(self, *, type: str | None = None, status: str | None = None, label: str | None = None,
                    stale: bool | None = None, limit: int | None = None) -> AsyncSteps:
        return await self.many(_flows.found(limit, type, status, label, stale))

    async def ready(self) -> dict[str, Any]:
        return await self.run(ask_json(Call("GET", "/ready")))

    async def events(self, *, name: str | None = None, type: str | None = None, label: str | None = None,
                     last_id: str | None = None) -> AsyncIterator[_sse.Event]:
        async for event in self._events(_flows.events_call(name, type, label, last_id)):
            yield event

    # --- for handles and services ---

    async def run(self, flow: Flow[T]) -> T:
        answer: Any = None
        error: OrchestraError | None = None
        while True:
            try:
                wish = flow.throw(error) if error is not None else flow.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            answer, error = None, None
            try:
                if isinstance(wish, Pause):
                    await asyncio.sleep(wish.seconds)
                else:
                    answer = await self.send(wish)
            except OrchestraError as problem:
                error = problem

    async def one(self, service: str, name: str, flow: Flow[Any]) -> AsyncStep:
        await self.run(flow)
        return AsyncStep(self, service, name)

    async def many(self, flow: Flow[_flows.Made]) -> AsyncSteps:
        return AsyncSteps([AsyncStep(self, service, name) for service, name in await self.run(flow)])

    async def download(self, call: Call, path: str | Path | None, default: str) -> Path:
        async with self._stream(call) as response:
            place = results.target(path, response, default)
            part = place.with_name(place.name + ".part")
            try:
                async with await anyio.open_file(part, "wb") as file:
                    async for piece in response.aiter_bytes():
                        await file.write(piece)
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)
        return place

    async def follow(self, name: str) -> AsyncIterator[str]:
        async for event in self._events(_flows.log_call(name)):
            if event.kind == "log":
                yield str(event.data["text"])
            if event.kind == "end":
                return

    async def _events(self, call: Call) -> AsyncIterator[_sse.Event]:
        parser = _sse.Parser()
        async with self._stream(call) as response:
            async for line in response.aiter_lines():
                if event := parser.feed(line):
                    yield event

    async def send(self, call: Call) -> httpx.Response:
        """The answer, whatever it says."""
        with reachable(self.url):
            return await self._http.send(self._request(call))

    @asynccontextmanager
    async def _stream(self, call: Call) -> AsyncIterator[httpx.Response]:
        with reachable(self.url):
            response = await self._http.send(self._request(call), stream=True)
            try:
                if response.status_code >= 400:
                    await response.aread()
                    raise error_of(response)
                yield response
            finally:
                await response.aclose()

    def _request(self, call: Call) -> httpx.Request:
        body = call.upload.aopen() if call.upload is not None else call.json_body()
        return self._http.build_request(call.method, call.url, params=call.params or None, content=body,
                                        headers=call.all_headers(), timeout=timeout_of(self._timeout, call))
