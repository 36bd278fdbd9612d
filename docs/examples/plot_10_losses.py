"""
Losses and outliers
===================

Five rows in a hundred are far off. Squared error follows them; Huber and ε-insensitive loss do not.
"""

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd

random = np.random.default_rng(0)
x = random.uniform(-1, 1, 100)
y = 2 * x + 0.1 * random.standard_normal(100)
y[x > 0.9] -= 8
plt.plot(x, y, "k.", alpha=0.5)
for loss in ("squared_error", "huber", "epsilon_insensitive"):
    fit = gd.fit(x[:, None], y, loss=loss, variant="batch", learning_rate=0.3, epochs=2000)
    plt.plot([-1, 1], fit.predict([[-1.0], [1.0]]), label=f"{loss}: slope {fit.coef[0]:.2f}")
plt.legend()
plt.show()
