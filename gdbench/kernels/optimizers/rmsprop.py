"""RMSprop: a rate for each weight over a running mean of its squared gradients."""

import math
from typing import NamedTuple


class RMSprop(NamedTuple):
    """E ← βE + (1 − β)g²; w ← w − αg ⁄ (√(E + ε_root) + ε).

    Centred, E − ḡ² takes E's place, with ḡ ← βḡ + (1 − β)g. With momentum μ, v ← μv + g ⁄ (√… + ε) and w ← w − αv.

    Attributes
    ----------
    beta : float
        β, the share of the running mean that is kept.
    eps : float
        ε beside the root, as in PyTorch (1e-8).
    eps_root : float
        ε under the root. Keras puts its 1e-7 here and sets ``eps`` to 0.
    centred : bool
        Whether the squared mean gradient is taken off, so that E is a variance.
    momentum : float
        μ. PyTorch's form; Keras and optax keep αv in the velocity, which is the same while α is constant.
    initial : float
        E before the first step.

    References
    ----------
    T. Tieleman and G. Hinton, "Lecture 6.5: RMSProp", Coursera, Neural Networks for Machine Learning (2012); centred: A.
    Graves, "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850 (2013), equations (38)-(45).
    """

    beta: float = 0.9
    eps: float = 1e-8
    eps_root: float = 0.0
    centred: bool = False
    momentum: float = 0.0
    initial: float = 0.0

    slots = ("mean_square", "mean", "velocity")
    limits = {
        "beta": "[0, 1)",
        "eps": "[0, inf)",
        "eps_root": "[0, inf)",
        "momentum": "[0, 1)",
        "initial": "[0, inf)",
    }

    def start(self):
        return (self.initial, 0.0, 0.0)

    def form(self):
        """Without its options the rule needs one vector instead of three."""
        return self if self.centred or self.momentum else _Plain(self.beta, self.eps, self.eps_root, self.initial)

    def step(self, w, g, state, rate, t):
        mean_square, mean, v = state
        mean_square = self.beta * mean_square + (1 - self.beta) * g * g
        mean = self.beta * mean + (1 - self.beta) * g
        spread = mean_square - mean * mean if self.centred else mean_square
        v = self.momentum * v + g / (math.sqrt(max(spread, 0.0) + self.eps_root) + self.eps)
        return w - rate * v, (mean_square, mean, v)


class _Plain(NamedTuple):
    """RMSprop without its options."""

    beta: float
    eps: float
    eps_root: float
    initial: float

    slots = ("mean_square",)

    def start(self):
        return (self.initial,)

    def step(self, w, g, state, rate, t):
        (mean_square,) = state
        mean_square = self.beta * mean_square + (1 - self.beta) * g * g
        return w - rate * g / (math.sqrt(mean_square + self.eps_root) + self.eps), (mean_square,)

    def settle(self, w, state, rate, idle):
        return w, (state[0] * self.beta**idle,)
