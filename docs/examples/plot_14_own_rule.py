"""
A rule of your own
==================

One class with one body joins the built-in rules, in compiled code. It steps by the sign of the momentum, softened.
"""

import math
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

import gdbench as gd


@gd.optimizers.register
class Softened(NamedTuple):
    """v ← βv + (1 − β)g; w ← w − α·tanh(v ⁄ s)."""

    beta: float = 0.9
    scale: float = 0.05

    slots = ("velocity",)

    def step(self, w, g, state, rate, t):
        (v,) = state
        v = self.beta * v + (1 - self.beta) * g
        return w - rate * math.tanh(v / self.scale), (v,)


problem = gd.load_problem("diabetes")
for rule in ("softened", "adam", "lion"):
    sweep = gd.sweep(problem, learning_rates=np.geomspace(1e-4, 1e-1, 7), optimizer=rule, epochs=50)
    ends = [fit.objective - problem.optimum.value for fit in sweep.fits]
    plt.loglog(sweep.learning_rates, ends, "o-", label=rule)
plt.xlabel("learning rate")
plt.ylabel("gap after 50 epochs")
plt.legend()
plt.show()
