"""Start-up: what a user waits for before the first step. Each number comes from a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from .common import named

FIT = """
from time import perf_counter
import gdbench as gd
X, y = [[0.0], [1.0], [2.0]] * 8, [0.0, 1.0, 0.0] * 8
begin = perf_counter()
{call}
print(perf_counter() - begin)
"""
REPEATS = 3
CALLS = {
    "replay": 'gd.replay("adam", [0.0], [[1.0]], 0.1)',
    "fit, batch gd": 'gd.fit(X, y, variant="batch")',
    "fit, stochastic gd": 'gd.fit(X, y, variant="stochastic")',
    "fit, mini-batch adam": 'gd.fit(X, y, variant="mini-batch", optimizer="adam")',
    "fit, cross_entropy": 'gd.fit(X, list("abc") * 8, loss="cross_entropy")',
    "sweep": "gd.sweep(X, y, learning_rates=[0.01, 0.1])",
    "minimize": 'gd.minimize("rosenbrock", [-1.2, 1.0])',
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
        self.folder = tempfile.TemporaryDirectory(prefix="gdbench-asv-")

    def teardown(self, call):
        self.folder.cleanup()

    def first_call(self, call):
        """Seconds of the call in a new process; its compiled code goes to, or comes from, this benchmark's own folder."""
        environment = {**os.environ, "GDBENCH_CACHE_DIR": self.folder.name}
        command = [sys.executable, "-c", FIT.format(call=CALLS[call])]
        done = subprocess.run(command, env=environment, cwd=self.folder.name, capture_output=True, text=True)
        if done.returncode:
            raise NotImplementedError(done.stderr)
        return float(done.stdout)

    @named("first call, nothing compiled", unit="s")
    def track_cold(self, call):
        return self.first_call(call)

    @named("first call, loaded from the cache", unit="s")
    def track_cached(self, call):
        self.first_call(call)
        return min(self.first_call(call) for _ in range(REPEATS))
