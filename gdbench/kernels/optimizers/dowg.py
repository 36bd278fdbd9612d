"""DoWG: DoG over gradients that are weighed by the distance, which may grow faster."""

import math
from typing import NamedTuple


class DoWG(NamedTuple):
    """w ← w − α·r² ⁄ (√V + ε)·g, with r the largest distance from w₀ so far and V the sum of all r²‖g‖².

    Attributes
    ----------
    initial : float
        r² before the first step.
    eps : float
        ε. In optax the default of `initial` is ε.

    Notes
    -----
    The learning rate is meant to be 1.

    References
    ----------
    A. Khaled, K. Mishchenko and C. Jin, "DoWG Unleashed: An Efficient Universal Parameter-Free Gradient Descent Method", NeurIPS
    2023, algorithm 1.
    """

    initial: float = 1e-4
    eps: float = 1e-4

    slots = ("origin",)
    sums = ("distance squared", "gradient squared")
    kept = ("distance squared", "weighed squares")
    limits = {"initial": "(0, inf)", "eps": "(0, inf)"}

    def start(self):
        return (None,)

    def start_kept(self):
        return (self.initial, 0.0)

    def reduce(self, w, g, state, rate, t, kept):
        (origin,) = state
        return (w - origin) * (w - origin), g * g

    def combine(self, sums, loss, kept, rate, t):
        kept[0] = max(kept[0], sums[0])
        kept[1] += kept[0] * sums[1]
        return (rate * kept[0] / (math.sqrt(kept[1]) + self.eps),)

    def step(self, w, g, state, rate, t, shared):
        return w - shared[0] * g, state
