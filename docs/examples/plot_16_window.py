"""
Rows larger than memory, mixed in windows
=========================================

The rows lie sorted by their target, in forty chunks. To mix them all, each piece of an epoch reads all chunks. A window reads
each chunk once an epoch and mixes few of them at a time: sooner, and further from the minimum, for the rows of neighbouring
steps are alike.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import gdbench as gd

random = np.random.default_rng(0)
X = random.standard_normal((10_000, 10))
y = X @ random.standard_normal(10) + random.standard_normal(10_000)
order = np.argsort(y)
folder = Path(tempfile.mkdtemp())
frame = pd.DataFrame(X[order], columns=[f"x{j}" for j in range(10)]).assign(y=y[order])
frame.to_parquet(folder / "rows.parquet", row_group_size=250)

best = np.linalg.lstsq(np.c_[X, np.ones(len(y))], y)[1][0] / (2 * len(y))
for window in (1, 4, 16, None):
    fits = [gd.fit(folder, "y", learning_rate=0.02, epochs=3, record=12, window=window, seed=seed) for seed in range(3)]
    gap = np.median([fit.curve.objective - best for fit in fits], axis=0)
    name = "all rows mixed" if window is None else f"window of {window}"
    plt.semilogy(fits[0].curve.epoch[1:], gap[1:], label=f"{name}: {np.median([fit.seconds for fit in fits]):.2f} s")
plt.xlabel("passes over the data")
plt.ylabel("distance from the minimum, median of 3 seeds")
plt.legend()
plt.show()
