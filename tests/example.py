"""The examples as a newcomer runs them, and the plain scripts that their results are held against."""

import json
import os
import re
import subprocess

from support import BINARY, HOME

PNG = b"\x89PNG\r\n\x1a\n"
ONE_CORE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def run(name, *options):
    command = [BINARY, "run", HOME / "examples" / name / "workflow.yaml", *options]
    environment = dict(os.environ, ORCHESTRA_HOME=str(HOME), NO_COLOR="1")
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)


def table(name, output):
    """step → its state and what was done, of the table at the end."""
    return {line.split()[0]: tuple(line.split()[2:4]) for line in output.splitlines() if re.match(rf"{name}_\S* +\w+/\w+ ", line)}


def plain(python, name):
    """What the plain script says, run on one core as steps are."""
    done = subprocess.run([os.environ[python], HOME / "bench" / f"{name}_plain.py"], capture_output=True, text=True, timeout=600,
                          env=dict(os.environ, **dict.fromkeys(ONE_CORE, "1")))
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout[done.stdout.index("{"):])


def size(server, route):
    """Width and height of a picture."""
    answer = server.get(route)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    assert answer.content.startswith(PNG)
    return tuple(int.from_bytes(answer.content[at:at + 4]) for at in (16, 20))
