"""A memory map is read where it lies: what a fit adds in memory of its own is bounded, whatever the map's size."""

import json
import subprocess
import sys

import numpy as np
import pytest

COLUMNS = 100

# Linux counts writable memory that no file backs, and refuses more of it than RLIMIT_DATA: a copy of the map cannot hide.
SCRIPT = """
import json, resource, sys
import numpy as np
import gdbench as gd

path, rows, columns, variant = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
X = np.memmap(path, dtype=np.float64, mode="r", shape=(rows, columns))
y = np.ones(rows)
options = {"variant": variant, "epochs": 1, "record": 2, "learning_rate": 0.1}
gd.fit(X[:64], y[:64], **options)
held = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (held + 300 * 2**20,) * 2)
fit = gd.fit(X, y, **options)
try:
    np.ones(330 * 2**17)  # what compiling held may have been given back by now
    bounded = False
except MemoryError:
    bounded = True
print(json.dumps([fit.status, fit.coef.tolist(), float(fit.intercept), bounded]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits what Linux counts as a process's own memory")
@pytest.mark.parametrize("variant", ["batch", "mini-batch", "stochastic"])
@pytest.mark.parametrize("megabytes", [600, pytest.param(4096, marks=pytest.mark.slow)])
def test_a_fit_on_a_memory_map_stays_below_300_mb(tmp_path, megabytes, variant):
    path, rows = tmp_path / "X.dat", megabytes * 2**20 // (8 * COLUMNS)
    X = np.memmap(path, dtype=np.float64, mode="w+", shape=(rows, COLUMNS))  # a file of holes: it reads as zeros
    X[0] = 1.0
    X.flush()
    words = [sys.executable, "-c", SCRIPT, str(path), str(rows), str(COLUMNS), variant]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    status, coef, intercept, bounded = json.loads(done.stdout)
    assert bounded, "the limit holds nothing back, so nothing was shown"
    assert status == "budget"
    assert np.isfinite(coef).all()
    assert coef != [0.0] * COLUMNS
    assert intercept > 0
