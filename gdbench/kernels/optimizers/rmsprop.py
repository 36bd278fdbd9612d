"""RMSprop: a rate for each weight over a running mean of its squared gradients."""

import math
from typing import NamedTuple


class RMSprop(NamedTuple):
    """E ← βE + (1 − β)g²; w ← w − αg ⁄ (√(E + ε_root) + ε).

    Attributes
    ----------
    beta : float
        β, the share of the running mean that is kept.
    eps : float
        ε beside the root, as in PyTorch (1e-8).
    eps_root : float
        ε under the root. Keras puts its 1e-7 here and sets ``eps`` to 0.

    References
    ----------
    T. Tieleman and G. Hinton, "Lecture 6.5: RMSProp", Coursera, Neural Networks for Machine Learning (2012).
    """

    beta: float = 0.9
    eps: float = 1e-8
    eps_root: float = 0.0

    slots = ("mean_square",)
    limits = {"beta": "[0, 1)", "eps": "[0, inf)", "eps_root": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        (mean,) = state
        mean = self.beta * mean + (1 - self.beta) * g * g
        return w - rate * g / (math.sqrt(mean + self.eps_root) + self.eps), (mean,)
