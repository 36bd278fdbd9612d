"""``python -m gdbench``: the command line."""

import sys

from gdbench.cli import main

sys.exit(main())
