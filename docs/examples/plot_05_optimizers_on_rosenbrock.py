"""
Optimizers on a curved valley
=============================

Five rules walk on Rosenbrock's function from the same start.
"""

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd

x, y = np.meshgrid(np.linspace(-1.8, 1.8, 200), np.linspace(-0.8, 2.2, 200))
plt.contour(x, y, (1 - x) ** 2 + 100 * (y - x**2) ** 2, levels=np.geomspace(0.5, 2000, 15), colors="0.8")
for rule, rate in {"gd": 0.001, "momentum": 0.0005, "nesterov": 0.0005, "rmsprop": 0.01, "adam": 0.05}.items():
    path = gd.minimize("rosenbrock", [-1.2, 1.0], rule, learning_rate=rate, steps=1000)
    plt.plot(*path.x.T, label=f"{rule}: f = {path.value[-1]:.1g}")
plt.plot(1, 1, "k*", markersize=12)
plt.legend()
plt.show()
