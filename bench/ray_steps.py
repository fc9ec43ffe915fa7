"""What a step on a Ray cluster takes more than one on the server's machine. Not named `ray`, so that scripts beside it can import Ray."""

import os
import tempfile
import time
from unittest import mock

import ray_nodes
from noop import once
from support import Server

ROUNDS = 5
STEPS = 40  # in each round
PAUSE = 0.02  # seconds: processes that stay are then ready again


def measured(server, tag):
    taken = []
    for i in range(STEPS):
        time.sleep(PAUSE)
        taken.append(1000 * once(server, f"{tag}_{i}"))
    return taken


def middle(values):
    return sorted(values)[len(values) // 2]


def run():
    """a function step that does nothing, submit to observed finish, warm: on this machine, and on a Ray cluster of one node, which is this machine; in turn"""
    here, there, more = [], [], []
    with tempfile.TemporaryDirectory() as folder, ray_nodes.running(cpus=os.cpu_count()) as cluster, mock.patch.dict(os.environ, cluster.server_variables()):
        with Server(f"{folder}/here/data") as local, Server(f"{folder}/there/data", "--runner", f"ray:{cluster.address}") as ray:
            for server in (local, ray):
                measured(server, "warm")
            for number in range(ROUNDS):
                here.append(measured(local, f"here{number}"))
                there.append(measured(ray, f"there{number}"))
                more.append(middle(there[-1]) - middle(here[-1]))
    return [("here", sum(here, []), "ms", ""), ("on Ray", sum(there, []), "ms", ""), ("more on Ray, medians of each round", more, "ms", "at most 25")]
