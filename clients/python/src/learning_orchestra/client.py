"""The client that blocks."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from typing_extensions import Unpack

from learning_orchestra import _flows, _sse, frames, results
from learning_orchestra._calls import Call, Flow, Pause, T, ask, ask_json
from learning_orchestra.errors import OrchestraError, ServerUnreachable, error_of
from learning_orchestra.progress import Show
from learning_orchestra.services import Options, Services
from learning_orchestra.step import Step, Steps

URL = "http://127.0.0.1:8000"


def with_token(headers: Mapping[str, str] | None, token: str | None) -> dict[str, str]:
    token = token or os.environ.get("ORCHESTRA_TOKEN")
    return {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}


def trusted(url: str, ca: str | os.PathLike[str] | None) -> ssl.SSLContext | bool:
    """What httpx takes as `verify`: a file of authorities, or else those that it trusts by itself."""
    ca = ca or os.environ.get("ORCHESTRA_CA")
    return ssl.create_default_context(cafile=ca) if ca and url.startswith("https:") else True


class Client(Services[Step, Steps]):
    """Talks to one server. Threads may share it. `timeout`: seconds without a byte after which a call fails. `progress`: whether
    waiting shows a line of text; None: where somebody sees it, in a terminal or a notebook. `token`: of a server that asks for one; by
    default what the variable ORCHESTRA_TOKEN says. `ca`: PEM file of the authority that signed the server's certificate, where it is none that
    everybody trusts; by default what ORCHESTRA_CA says."""

    def __init__(self, url: str = URL, *, timeout: float = 30.0, token: str | None = None, ca: str | os.PathLike[str] | None = None,
                 headers: Mapping[str, str] | None = None, progress: bool | Show | None = None,
                 transport: httpx.BaseTransport | None = None):
        super().__init__(self)
        self.url = url
        self.progress = progress
        self._timeout = timeout
        self._http = httpx.Client(base_url=url, headers=with_token(headers, token), timeout=timeout, transport=transport,
                                  verify=trusted(url, ca))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self.url}>"

    def close(self) -> None:
        self._http.close()

    def put(self, frame: Any, name: str, **options: Unpack[Options]) -> Step:
        """Uploads a pandas, Arrow or Polars frame as a dataset with types. What is not kept exactly is told as a LossWarning."""
        upload, types = frames.csv_of(frame)
        return self.one("dataset/csv", name, ask(_flows.put_call(name, upload, types, options)))

    def step(self, name: str) -> Step:
        """The handle of a step that exists; NotFound otherwise."""
        return Step(self, str(self.run(_flows.metadata(name))["service"]), name)

    def steps(self, *, type: str | None = None, status: str | None = None, label: str | None = None,
              stale: bool | None = None, limit: int | None = None) -> Steps:
        """Steps of all services, oldest first. `label`: key=value."""
        return self.many(_flows.found(limit, type, status, label, stale))

    def ready(self) -> dict[str, Any]:
        """What each runner is doing; Unavailable when one that is needed is broken."""
        return self.run(ask_json(Call("GET", "/ready")))

    def events(self, *, name: str | None = None, type: str | None = None, label: str | None = None,
               last_id: str | None = None) -> Iterator[_sse.Event]:
        """What happens to steps from now on, or after the event `last_id`, without an end."""
        yield from self._events(_flows.events_call(name, type, label, last_id))

    # --- for handles and services ---

    def run(self, flow: Flow[T]) -> T:
        """Does what a flow asks for."""
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
                    time.sleep(wish.seconds)
                else:
                    answer = self.send(wish)
            except OrchestraError as problem:
                error = problem

    def one(self, service: str, name: str, flow: Flow[Any]) -> Step:
        self.run(flow)
        return Step(self, service, name)

    def many(self, flow: Flow[_flows.Made]) -> Steps:
        return Steps([Step(self, service, name) for service, name in self.run(flow)])

    def download(self, call: Call, path: str | Path | None, default: str) -> Path:
        """Writes the answer beside its place, then moves it there: a file that is there is whole."""
        with self._stream(call) as response:
            place = results.target(path, response, default)
            part = place.with_name(place.name + ".part")
            try:
                with part.open("wb") as file:
                    for piece in response.iter_bytes():
                        file.write(piece)
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)
        return place

    def follow(self, name: str) -> Iterator[str]:
        for event in self._events(_flows.log_call(name)):
            if event.kind == "log":
                yield str(event.data["text"])
            if event.kind == "end":
                return

    def _events(self, call: Call) -> Iterator[_sse.Event]:
        parser = _sse.Parser()
        with self._stream(call) as response:
            for line in response.iter_lines():
                if event := parser.feed(line):
                    yield event

    def send(self, call: Call) -> httpx.Response:
        """The answer, whatever it says."""
        with reachable(self.url):
            return self._http.send(self._request(call))

    @contextmanager
    def _stream(self, call: Call) -> Iterator[httpx.Response]:
        with reachable(self.url):
            response = self._http.send(self._request(call), stream=True)
            try:
                if response.status_code >= 400:
                    response.read()
                    raise error_of(response)
                yield response
            finally:
                response.close()

    def _request(self, call: Call) -> httpx.Request:
        body = call.upload.open() if call.upload is not None else call.json_body()
        return self._http.build_request(call.method, call.url, params=call.params or None, content=body,
                                        headers=call.all_headers(), timeout=timeout_of(self._timeout, call))


def timeout_of(usual: float, call: Call) -> httpx.Timeout:
    return httpx.Timeout(usual, read=usual + call.patience)


@contextmanager
def reachable(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise ServerUnreachable(f"{url}: {error or type(error).__name__}") from error
