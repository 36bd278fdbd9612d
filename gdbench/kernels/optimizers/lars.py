"""LARS: momentum whose rate for each layer is in proportion to its weights' norm."""

import math
from typing import NamedTuple


class LARS(NamedTuple):
    """v ← βv + α·λ(g + δw), with the local rate λ = η‖w‖ ⁄ (‖g‖ + δ‖w‖ + ε); w ← w − v.

    Where either norm is 0, λ is 1. The norms are of a model, or of each array of a network's weights.

    Attributes
    ----------
    beta : float
        β. The rate is in the velocity, as in the paper and optax.
    trust : float
        η, the trust coefficient.
    weight_decay : float
        δ, coupled: it is in the gradient.
    eps : float
        ε. The paper and optax 0.
    apart : bool
        Whether the two norms below are added, as in the paper; else the norm is of their sum, ‖g + δw‖, as in optax.

    References
    ----------
    Y. You, I. Gitman and B. Ginsburg, "Large Batch Training of Convolutional Networks", arXiv:1708.03888 (2017), algorithm 1.
    """

    beta: float = 0.9
    trust: float = 0.001
    weight_decay: float = 0.0
    eps: float = 0.0
    apart: bool = True

    slots = ("velocity",)
    sums = ("weight squared", "gradient squared", "push squared")
    by_layer = True
    limits = {"beta": "[0, 1)", "trust": "(0, inf)", "weight_decay": "[0, inf)", "eps": "[0, inf)"}

    def reduce(self, w, g, state, rate, t, kept):
        push = g + self.weight_decay * w
        return w * w, g * g, push * push

    def combine(self, sums, loss, kept, rate, t):
        weights = math.sqrt(sums[0])
        size = math.sqrt(sums[1]) + self.weight_decay * weights if self.apart else math.sqrt(sums[2])
        return (self.trust * weights / (size + self.eps) if weights > 0 and size > 0 else 1.0,)

    def step(self, w, g, state, rate, t, shared):
        (v,) = state
        v = self.beta * v + rate * shared[0] * (g + self.weight_decay * w)
        return w - v, (v,)
