"""Entry of a fork server: `python -I orchestra_forkserver.py --kind bare|scientific|spark|tensorflow|sql`. See PROTOCOL.md."""

import os
import sys
import time

BEGAN = time.monotonic()
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out

from orchestra_runtime import forkserver  # noqa: E402

sys.exit(forkserver.main(sys.argv[1:], BEGAN))
