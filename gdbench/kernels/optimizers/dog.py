"""DoG: a rate from the distance covered and the gradients seen, without tuning."""

import math
from typing import NamedTuple


class DoG(NamedTuple):
    """w ← w − α·r ⁄ √(G + ε)·g, with r the largest distance from w₀ so far and G the sum of all ‖g‖².

    Attributes
    ----------
    initial : float
        r before the first step: this times 1 + ‖w₀‖.
    relative : bool
        Otherwise `initial` alone, optax's ``init_step=("distance", …)``.
    eps : float
        ε.

    Notes
    -----
    The learning rate is meant to be 1. The authors report an average of the iterates: ``averaged`` around this rule.

    References
    ----------
    M. Ivgi, O. Hinder and Y. Carmon, "DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule", ICML 2023.
    """

    initial: float = 1e-6
    relative: bool = True
    eps: float = 1e-8

    slots = ("origin",)
    sums = ("distance squared", "gradient squared", "weight squared")
    kept = ("distance", "squares")
    limits = {"initial": "(0, inf)", "eps": "(0, inf)"}

    def start(self):
        return (None,)

    def reduce(self, w, g, state, rate, t, kept):
        (origin,) = state
        return (w - origin) * (w - origin), g * g, w * w

    def combine(self, sums, loss, kept, rate, t):
        first = self.initial * (1 + math.sqrt(sums[2])) if self.relative else self.initial
        kept[0] = max(kept[0] if t > 1 else first, math.sqrt(sums[0]))
        kept[1] += sums[1]
        return (rate * kept[0] / math.sqrt(kept[1] + self.eps),)

    def step(self, w, g, state, rate, t, shared):
        return w - shared[0] * g, state
