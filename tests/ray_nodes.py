"""A Ray cluster of the tests' own, whose nodes they can kill."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import tempfile

import psutil

from support import HOME, eventually

PYTHON = pathlib.Path(os.environ.get("ORCHESTRA_RAY_PYTHON", HOME / "build" / "environments" / "ray" / "bin" / "python"))
VARIABLES = HOME / "runtime" / "python" / "orchestra_ray.env"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def own_address() -> str:
    """Of this machine; Ray takes no loopback address for one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        with contextlib.suppress(OSError):
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            return probe.getsockname()[0]
    return "127.0.0.1"


class Node:
    """One `ray start --block`, with all that it started."""

    def __init__(self, cluster: Cluster, *options: str, before: tuple[str, ...] = ()):
        self.log = cluster.folder / f"node-{secrets.token_hex(4)}.log"
        command = [*before, PYTHON.parent / "ray", "start", "--block", "--disable-usage-stats", *options]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, env=cluster.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def processes(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        return []

    def kill(self) -> None:
        """As when the machine loses its power, but for what Ray's processes had started: those see their connections close."""
        processes = self.processes()
        for each in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait()
        psutil.wait_procs(processes, timeout=20)


class Cluster:
    """The head, with `cpus` to give, at `host`. Others join it by add()."""

    def __init__(self, cpus: int, host: str | None = None, variables: dict[str, str] | None = None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # short: it holds Unix sockets
        self.token = secrets.token_hex(16)
        self.host = host or own_address()
        port = free_port()
        self.address = f"{self.host}:{port}"
        settings = dict(line.split("=") for line in VARIABLES.read_text().splitlines() if line and not line.startswith("#"))
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        self.environment |= settings | {"RAY_AUTH_TOKEN": self.token, "RAY_TMPDIR": str(self.folder)} | (variables or {})
        self.nodes: list[Node] = []
        self.head = self._start("--head", f"--port={port}", f"--num-cpus={cpus}", "--include-dashboard=false", host=self.host)
        self.await_nodes(1)

    def add(self, cpus: int, host: str | None = None, before: tuple[str, ...] = ()) -> Node:
        """Returns once the head knows of it."""
        node = self._start(f"--address={self.address}", f"--num-cpus={cpus}", host=host or self.host, before=before)
        self.await_nodes(len(self.nodes))
        return node

    def _start(self, *options: str, host: str, before: tuple[str, ...] = ()) -> Node:
        first = 20_000 + 1_000 * (len(self.nodes) + 10 * (os.getpid() % 4))  # nodes that share an address must not share ports
        ports = f"--min-worker-port={first}", f"--max-worker-port={first + 999}"
        node = Node(self, *options, f"--node-ip-address={host}", "--object-store-memory=80000000", *ports, before=before)
        self.nodes.append(node)
        return node

    def kill(self, node: Node) -> None:
        node.kill()
        self.nodes.remove(node)

    def server_variables(self) -> dict[str, str]:
        """What the environment of a server has to have."""
        return {"RAY_AUTH_TOKEN": self.token, "ORCHESTRA_RAY_PYTHON": str(PYTHON)}

    def await_nodes(self, count: int) -> None:
        eventually(lambda: self._has(count), 120)

    def _has(self, count: int) -> bool:
        for node in self.nodes:
            assert node.process.poll() is None, f"a node has ended: {node.log.read_text()[-3000:]}"
        code = ("import sys; from ray._raylet import GcsClient; "
                "print(sum(node.state == 0 for node in GcsClient(address=sys.argv[1]).get_all_node_info(timeout=5).values()))")
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, int(self.address.rpartition(":")[2])), timeout=1).close()
            found = subprocess.run([PYTHON, "-I", "-c", code, self.address], env=self.environment, capture_output=True, text=True)
            return found.stdout.strip().endswith(str(count))
        return False

    def remove(self) -> None:
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def running(cpus: int, host: str | None = None, variables: dict[str, str] | None = None):
    cluster = Cluster(cpus, host, variables)
    try:
        yield cluster
    finally:
        cluster.remove()
