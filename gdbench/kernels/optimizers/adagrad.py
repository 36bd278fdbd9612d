"""AdaGrad: a rate for each weight that falls with the gradients it has seen."""

import math
from typing import NamedTuple


class AdaGrad(NamedTuple):
    """G ← G + g²; w ← w − αg ⁄ (√(G + ε_root) + ε).

    Attributes
    ----------
    eps : float
        ε beside the root; it only keeps a weight without a gradient from dividing zero by zero. PyTorch 1e-10.
    eps_root : float
        ε under the root. Keras and optax put theirs (1e-7) here and set ``eps`` to 0.
    initial : float
        G before the first step. PyTorch 0, Keras and optax 0.1.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
    JMLR 12 (2011), 2121-2159.
    """

    eps: float = 1e-10
    eps_root: float = 0.0
    initial: float = 0.0

    slots = ("sum_of_squares",)
    limits = {"eps": "[0, inf)", "eps_root": "[0, inf)", "initial": "[0, inf)"}

    def start(self):
        return (self.initial,)

    def step(self, w, g, state, rate, t):
        (total,) = state
        total = total + g * g
        return w - rate * g / (math.sqrt(total + self.eps_root) + self.eps), (total,)

    def settle(self, w, state, rate, idle):
        return w, state
