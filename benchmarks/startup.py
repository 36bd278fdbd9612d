"""Start-up: what a user waits for before the first step. Each number comes from a process of its own.

The calls are in seconds of their processor: waiting for a disk, or for another process, is no work of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from .common import named, or_skip

FIT = """
from time import process_time
import gdbench as gd
X, y = [[0.0], [1.0], [2.0]] * 8, [0.0, 1.0, 0.0] * 8
begin = process_time()
{call}
print(process_time() - begin)
"""
CALLS = {
    "minimize": 'gd.minimize("rosenbrock", [-1.2, 1.0])',
    "fit, stochastic gd": 'gd.fit(X, y, variant="stochastic")',
    "fit, mini-batch adam": 'gd.fit(X, y, variant="mini-batch", optimizer="adam")',
}


class Import:
    timeout = 60
    version = "1"
    number = 1
    repeat = (3, 5, 5.0)

    @named("import gdbench")
    def timeraw_import(self):
        return "import gdbench"

    @named("import gdbench.cli")
    def timeraw_import_cli(self):
        return "import gdbench.cli"


class FirstCall:
    timeout = 120
    version = "1"
    params = (tuple(CALLS),)
    param_names = ("call",)

    def setup(self, call):
        with or_skip():
            import gdbench as gd

            getattr(gd, call.partition(",")[0])

    @named("first call, nothing compiled", unit="s", version="2")
    def track_cold(self, call):
        with tempfile.TemporaryDirectory(prefix="gdbench-asv-") as folder:
            return first_call(call, GDBENCH_CACHE_DIR=folder)

    @named("first call, loaded from the cache", unit="s", version="2")
    def track_cached(self, call):
        first_call(call)  # compiled now, if it was not
        return first_call(call)


def first_call(call, **environment) -> float:
    """Processor seconds of the call in a new process."""
    command = [sys.executable, "-c", FIT.format(call=CALLS[call])]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)
