"""
What momentum buys
==================

On a quadratic of condition 100, plain descent needs steps in proportion to the condition, momentum to its root.
"""

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd

condition = 100.0
scales = np.array([1.0, condition])
bowl = gd.Landscape(value=lambda x: 0.5 * float(scales @ x**2), gradient=lambda x: scales * x)
beta = ((np.sqrt(condition) - 1) / (np.sqrt(condition) + 1)) ** 2
rules = {
    "gd": ("gd", 2 / (1 + condition)),
    "momentum, best β": (gd.optimizers.Momentum(beta=beta), 4 / (1 + np.sqrt(condition)) ** 2),
    "momentum, β = 0.9": (gd.optimizers.Momentum(beta=0.9), 0.01),
}
for name, (rule, rate) in rules.items():
    path = gd.minimize(bowl, [1.0, 1.0], rule, learning_rate=rate, steps=300)
    plt.semilogy(path.value, label=name)
plt.xlabel("step")
plt.ylabel("f")
plt.ylim(1e-14, 1e2)
plt.legend()
plt.show()
