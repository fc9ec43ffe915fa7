"""Servers that share a catalog and a store."""

from __future__ import annotations

import contextlib
import pathlib

import httpx

from support import Server, eventually, free_port


def member(place: pathlib.Path, url: str, name: str, *options: str, host: str = "127.0.0.1", **more) -> Server:
    """One at `host` whose catalog is at `url`; data folder and log are below `place / name`, the store is `place / "mount"`. `more` is Server's."""
    port = free_port()
    (place / name).mkdir()
    own = ("--catalog", url, "--store", str(place / "mount"), "--advertise", f"http://{host}:{port}", "--host", host)
    return Server(place / name / "data", *own, *options, port=port, host=host, **more)


def ready(server: Server) -> dict:
    """What /ready says; nothing when the server is not ready, or not there."""
    with contextlib.suppress(httpx.TransportError):
        answer = server.http.get("/ready")
        if answer.status_code == 200:
            return answer.json()
    return {}


def leads(server: Server) -> bool:
    return ready(server).get("role") == "leader"


def leader_of(servers: list[Server]) -> Server | None:
    return next((server for server in servers if leads(server)), None)


def serving(servers: list[Server]) -> None:
    """Returns once one of them leads and all others know it."""
    eventually(lambda: leader_of(servers) is not None and all(ready(server) for server in servers))
