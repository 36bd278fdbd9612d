"""
A path of l1 penalties
======================

The weights of a regression for growing α: the proximal step sets the useless ones to zero exactly.
"""

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd

problem = gd.load_problem("diabetes")
alphas = np.geomspace(1e-3, 1.0, 25)
weights = [
    gd.fit(problem.X, problem.y, penalty="l1", alpha=a, variant="batch", learning_rate=0.2, epochs=500).coef for a in alphas
]
plt.semilogx(alphas, weights)
plt.xlabel("α")
plt.ylabel("weights")
print("exact zeros:", [int((w == 0).sum()) for w in weights])
plt.show()
