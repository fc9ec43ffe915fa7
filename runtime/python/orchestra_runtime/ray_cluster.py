"""A Ray cluster as those see it who want to run steps there: who may, what it has, and what is wrong.

Asks the head's control store (GCS) itself: ray.init tries for two minutes, and says of a wrong token no more than that it could not connect.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLES = Path(__file__).resolve().parent.parent / "orchestra_ray.env"
PATIENCE = 5  # seconds for an answer of the head
IS_OPEN, IS_CLOSED = 0, 1  # exit statuses of _KNOCK
_KNOCK = """
import sys
from ray._raylet import GcsClient
try:
    GcsClient(address=sys.argv[1]).internal_kv_get(b"CLUSTER_METADATA", b"cluster", timeout=5)
except Exception:
    sys.exit(1)
"""


class Unreachable(Exception):
    """The cluster may be there later."""


class Refused(Exception):
    """It will not do, whenever it is tried: somebody has to change something."""


@dataclass(frozen=True, slots=True)
class Cluster:
    ray: str  # version
    nodes: int  # that are alive
    cpus: float
    gpus: float
    memory: int  # bytes that tasks may ask for

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def set_variables() -> None:
    """Those of orchestra_ray.env, where nobody said otherwise. Before ray is imported."""
    for line in VARIABLES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            os.environ.setdefault(name, value)
    os.environ["RAY_AUTH_MODE"] = "token"  # always


def token() -> str:
    """As Ray finds it. Refused when there is none."""
    if given := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return given
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError:
        text = ""
    if not text:
        raise Refused(f"no token: set RAY_AUTH_TOKEN to the Ray cluster's token, or RAY_AUTH_TOKEN_PATH to a file that has it ({path} has none)")
    return text


def look(address: str) -> Cluster:
    """What the cluster at HOST:PORT has. Unreachable or Refused, with one line that says why."""
    token()
    _reach(address)
    return _ask(address)


def earlier_drivers(address: str, namespace: str) -> int:
    """How many of that namespace the head takes for alive."""
    from ray._raylet import GcsClient

    jobs = GcsClient(address=address).get_all_job_info(timeout=PATIENCE).values()
    return sum(1 for job in jobs if not job.is_dead and job.config.ray_namespace == namespace)


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
    except OSError as error:
        raise Unreachable(f"nothing answers at {address}: {error}") from error


def _ask(address: str) -> Cluster:
    from ray._raylet import GcsClient
    from ray.exceptions import AuthenticationError, RpcError

    try:
        store = GcsClient(address=address)
        metadata = json.loads(store.internal_kv_get(b"CLUSTER_METADATA", b"cluster", timeout=PATIENCE) or b"{}")
        nodes = [node for node in store.get_all_node_info(timeout=PATIENCE).values() if node.state == 0]
    except AuthenticationError as error:
        raise Refused(f"the Ray cluster at {address} does not take the token: RAY_AUTH_TOKEN (or the file of RAY_AUTH_TOKEN_PATH) is not the cluster's") from error
    except RpcError as error:
        raise Unreachable(f"{address} does not answer as the head of a Ray cluster: {error}") from error
    _check_closed(address)
    _check_versions(address, metadata)
    _check_neighbour(address, {node.node_manager_address for node in nodes})
    total = {name: sum(node.resources_total[name] for node in nodes if name in node.resources_total) for name in ("CPU", "GPU", "memory")}
    return Cluster(metadata["ray_version"], len(nodes), total["CPU"], total["GPU"], int(total["memory"]))


def _check_closed(address: str) -> None:
    """Somebody without a token is turned away."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")} | {"RAY_AUTH_MODE": "disabled", "HOME": "/nonexistent"}
    knock = subprocess.run([sys.executable, "-I", "-c", _KNOCK, address], env=environment, capture_output=True, timeout=60)
    if knock.returncode == IS_OPEN:
        raise Refused(f"the Ray cluster at {address} lets everybody run code: start all its nodes with RAY_AUTH_MODE=token and a token")


def _check_versions(address: str, metadata: dict[str, str]) -> None:
    import ray

    ours = {"ray_version": ray.__version__, "python_version": platform.python_version()}
    for name, value in ours.items():
        theirs = str(metadata.get(name))
        if theirs.split(".")[:2] != value.split(".")[:2]:
            raise Refused(f"the Ray cluster at {address} has {name.replace('_version', '')} {theirs}, the environment ray has {value}: they have to be the same")


def _check_neighbour(address: str, nodes: set[str]) -> None:
    """Ray's drivers need a node of the cluster on their own machine."""
    if not any(_is_ours(node) for node in nodes):
        raise Refused(f"this machine is no node of the Ray cluster at {address}: run `ray start --address={address} --num-cpus=0` on it")


def _is_ours(host: str) -> bool:
    """Only an address of this machine can be bound."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True
