"""Entry of a process that reads one file: `python -I orchestra_remote_file.py URL`. See PROTOCOL.md, "A file from elsewhere"."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out

from orchestra_runtime import remote_files  # noqa: E402

sys.exit(remote_files.main(sys.argv[1]))
