"""
A network of one hidden layer
=============================

What a line cannot do: sixteen hidden units learn a sine.
"""

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd

random = np.random.default_rng(0)
x = np.sort(random.uniform(-3, 3, 400))
y = np.sin(2 * x) + 0.1 * random.standard_normal(400)
plt.plot(x, y, ".", alpha=0.3)
for name, model in {"linear": "linear", "MLP of 16": gd.MLP(hidden=16, activation="tanh")}.items():
    fit = gd.fit(x[:, None], y, model=model, optimizer="adam", learning_rate=0.01, epochs=500)
    plt.plot(x, fit.predict(x[:, None]), label=f"{name}: {fit.objective:.3f}")
plt.legend()
plt.show()
