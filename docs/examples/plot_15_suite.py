"""
A suite from Python
===================

Three rules on two problems: the rates are chosen on tuning seeds, and counted on others. This is what `gdbench run` does.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from gdbench.suite import run_suite

folder = Path(tempfile.mkdtemp())
(folder / "small.toml").write_text("""
seeds = 3
tuning_seeds = 1
learning_rates = [0.001, 0.01, 0.1]
targets = [3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3]
headline = 1e-2
repeats = 0
budget = { epochs = 40 }
problems = [{ data = "regression" }, { data = "ill_conditioned" }]
solvers = [{ optimizer = ["gd", "momentum", "adam"] }]
""")
results = run_suite(folder / "small.toml", folder / "results")
hits = results.hits.query("role == 'report'")
_, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
for axis, (problem, rows) in zip(axes, hits.groupby("problem"), strict=True):
    for optimizer, its in rows.groupby("optimizer"):
        epochs = its.groupby("target")["epochs"].median()
        axis.loglog(epochs.index, epochs.values, "o-", label=optimizer)
    axis.set(title=problem, xlabel="relative gap", ylabel="epochs to it")
    axis.invert_xaxis()
axes[0].legend()
plt.show()
