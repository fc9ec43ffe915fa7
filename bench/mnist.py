import pathlib
import tempfile

import plain
from processes import Peak
from support import HOME, Server
from workflow import Workflow

RUNS = 5


def run():
    """the image workflow through the API against one plain script"""
    workflow = Workflow(HOME / "examples" / "mnist" / "workflow.yaml", "mnist_")
    scripts, warms = [], []
    with tempfile.TemporaryDirectory() as folder, Server(pathlib.Path(folder) / "data") as server:
        first = workflow.run(server, "first_")
        for i in range(RUNS):
            scripts.append(plain.run("ORCHESTRA_TENSORFLOW_PYTHON", "mnist"))
            warms.append(workflow.run(server, f"warm{i}_"))
        with Peak(server) as peak:
            workflow.run(server, "peak_")
    return plain.compared(scripts, first, warms) + [("peak memory of all processes", [peak.megabytes], "MB", "")]
