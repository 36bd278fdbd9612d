"""AdaDelta: steps in the weights' own units, from two running means."""

import math
from typing import NamedTuple


class AdaDelta(NamedTuple):
    """E ← βE + (1 − β)g²; δ = √(D + ε) ⁄ √(E + ε)·g; D ← βD + (1 − β)δ²; w ← w − αδ.

    Attributes
    ----------
    beta : float
        β, the share of both running means that is kept; the paper's ρ.
    eps : float
        ε under both roots. PyTorch 1e-6, Keras 1e-7.

    Notes
    -----
    The paper has no learning rate: use α = 1 for it.

    References
    ----------
    M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701 (2012), algorithm 1.
    """

    beta: float = 0.9
    eps: float = 1e-6

    slots = ("mean_square", "mean_square_step")
    limits = {"beta": "[0, 1)", "eps": "(0, inf)"}

    def step(self, w, g, state, rate, t):
        mean, mean_step = state
        mean = self.beta * mean + (1 - self.beta) * g * g
        delta = math.sqrt(mean_step + self.eps) / math.sqrt(mean + self.eps) * g
        mean_step = self.beta * mean_step + (1 - self.beta) * delta * delta
        return w - rate * delta, (mean, mean_step)
