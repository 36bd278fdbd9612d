"""
Sparse rows
===========

A CSR matrix is descended on without being made dense: a step touches the columns of its row alone.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import random_array

import gdbench as gd

X = random_array((20_000, 2_000), density=0.005, format="csr", rng=np.random.default_rng(0))
w = np.random.default_rng(1).standard_normal(2_000)
y = X @ w > 0
for rule, rate in {"gd": 1.0, "adagrad": 0.3, "adam": 0.01}.items():
    fit = gd.fit(
        X, y, loss="log_loss", penalty="l2", alpha=1e-5, optimizer=rule, learning_rate=rate, variant="stochastic", epochs=10
    )
    plt.semilogx(fit.curve["samples"] + 1, fit.curve["objective"], label=f"{rule}: {fit.seconds * 1e3:.0f} ms")
plt.xlabel("samples + 1")
plt.ylabel("objective")
plt.legend()
plt.show()
