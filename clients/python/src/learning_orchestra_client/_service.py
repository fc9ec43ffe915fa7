"""What all classes of the 2021 interface share."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from learning_orchestra import Client
from learning_orchestra._calls import Call
from learning_orchestra_client.observe.observe import Observer

Response = dict[str, Any] | str
_log = logging.getLogger("learning_orchestra_client")


@functools.cache
def connect(cluster_ip: str) -> Client:
    """One client for all objects of a server."""
    url = cluster_ip if "://" in cluster_ip else f"http://{cluster_ip}"
    return Client(url.rstrip("/"), progress=False)


def answer(response: httpx.Response, pretty_response: bool) -> Any:
    """The body as a dict, or as indented text. A refusal is logged: {} for those of the caller, None for those of the server."""
    if response.status_code >= 500:
        _log.error(response.text)
        return None
    body = response.json()
    if response.status_code not in (200, 201):
        _log.warning(body["result"])
        return {}
    return json.dumps(body, indent=4, sort_keys=True) if pretty_response else body


class Service:
    """A route. Subclasses have the methods' names of 2021."""

    def __init__(self, cluster_ip: str, path: str):
        self._client = connect(cluster_ip)
        self._path = path
        self._observer = Observer(cluster_ip)

    def _send(self, body: Mapping[str, Any], waits_for: str | None, pretty_response: bool, method: str = "POST") -> Any:
        """Posts, and waits for the end of `waits_for` if the post was accepted."""
        response = self._client.send(Call(method, self._path, body=body))
        if waits_for is not None and response.status_code in (200, 201):
            self._observer.wait(waits_for)
        return answer(response, pretty_response)

    def _all(self, pretty_response: bool) -> Any:
        return answer(self._client.send(Call("GET", self._path)), pretty_response)

    def _content(self, name: str, query: Mapping[str, Any] | None, limit: int, skip: int, pretty_response: bool,
                 suffix: str = "") -> Any:
        params: dict[str, str | int] = {"query": json.dumps(query or {}), "limit": limit, "skip": skip}
        return answer(self._client.send(Call("GET", self._named(name) + suffix, params)), pretty_response)

    def _delete(self, name: str, pretty_response: bool) -> Any:
        return answer(self._client.send(Call("DELETE", self._named(name))), pretty_response)

    def _named(self, name: str) -> str:
        return f"{self._path}/{quote(name, safe='')}"


class Execution(Service):
    """Services that call a method of a stored instance."""

    def _execute(self, name: str, model_name: str, parent_name: str, method_name: str, parameters: Mapping[str, Any],
                 description: str, pretty_response: bool, waits: bool) -> Any:
        body = {"name": name, "modelName": model_name, "parentName": parent_name, "method": method_name,
                "methodParameters": parameters, "description": description}
        return self._send(body, name if waits else None, pretty_response)
