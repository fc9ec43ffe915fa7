"""Entry of what steps are forked by on a node of a Ray cluster: `python -I orchestra_ray_node.py PATH DESCRIPTOR`. See orchestra_runtime/ray_node.py."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out

from orchestra_runtime import ray_node  # noqa: E402

sys.exit(ray_node.main(sys.argv[1], int(sys.argv[2])))
