"""A machine of one's own behind a wire that can be cut without a word: a network namespace of Linux (skipped where there are none to be had)."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

import pytest


class Wire:
    """Processes that are started with `before` are at the address `there`; from there this machine is `here`."""

    def __init__(self) -> None:
        number = os.getpid() % 16_000 * 4
        subnet = f"10.{200 + number // 65536}.{number // 256 % 256}"
        self.name = f"orchestra-{os.getpid()}"
        self.here, self.there = f"{subnet}.{number % 256 + 1}", f"{subnet}.{number % 256 + 2}"
        self.before = ["ip", "netns", "exec", self.name]

    def lay(self) -> None:
        ours, theirs = f"lo{os.getpid()}", f"lo{os.getpid()}t"
        _ip("netns", "add", self.name)
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", self.name)
        _ip("address", "add", f"{self.here}/30", "dev", ours)
        _ip("link", "set", ours, "up")
        _ip("-n", self.name, "address", "add", f"{self.there}/30", "dev", theirs)
        _ip("-n", self.name, "link", "set", theirs, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")

    def cut(self) -> None:
        """What is sent from there is lost; nobody is told."""
        _ip("-n", self.name, "route", "add", "blackhole", f"{self.here}/32")

    def mend(self) -> None:
        _ip("-n", self.name, "route", "del", "blackhole", f"{self.here}/32")

    def remove(self) -> None:
        _ip("netns", "del", self.name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.contextmanager
def laid():
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    wire = Wire()
    try:
        wire.lay()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine has no network namespaces to give: {error.stderr.decode().strip()}")
    try:
        yield wire
    finally:
        wire.remove()
