"""Entry of the Ray client: `python -I orchestra_ray_client.py --address HOST:PORT [--check]`. See PROTOCOL.md."""

import os
import sys
import time

BEGAN = time.monotonic()
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out

from orchestra_runtime import ray_client  # noqa: E402

sys.exit(ray_client.main(sys.argv[1:], BEGAN))
