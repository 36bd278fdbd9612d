"""
Counts with a logarithm as link
===============================

A loss brings its link along: Poisson regression predicts means, and is scored by the deviance explained.
"""

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd

random = np.random.default_rng(0)
x = random.uniform(0, 3, 300)
y = random.poisson(np.exp(0.2 + 0.8 * x))
fit = gd.fit(x[:, None], y, loss="poisson", variant="batch", learning_rate=0.05, epochs=3000)
grid = np.linspace(0, 3, 50)
plt.plot(x, y, ".", alpha=0.4)
plt.plot(grid, fit.predict(grid[:, None]), label=f"exp({fit.intercept:.2f} + {fit.coef[0]:.2f} x)")
plt.title(f"deviance explained: {fit.deviance_explained(x[:, None], y):.2f}")
plt.legend()
plt.show()
