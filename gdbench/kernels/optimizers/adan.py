"""Adan: Adam with Nesterov's look-ahead estimated from the change of the gradient."""

import math
from typing import NamedTuple


class Adan(NamedTuple):
    """w ← (w − α(m̂ + β₂v̂) ⁄ (√n̂ + ε)) ⁄ (1 + αλ), over running means m of g, v of d and n of (g + β₂d)².

    d is the gradient less the one before, 0 at the first step; β₁, β₂ and β₃ are the shares of m, v and n that are kept, and a
    hat divides by 1 − βᵗ.

    Attributes
    ----------
    beta1, beta2, beta3 : float
        The paper writes 1 − β for each.
    eps : float
        ε beside the root.
    weight_decay : float
        λ.
    proximal : bool
        Shrink by 1 ⁄ (1 + αλ), as in the paper; otherwise the step takes αλw off as AdamW's does, as in optax.

    Notes
    -----
    optax looks ahead by (1 − β₂)d, which is neither the paper nor this.

    References
    ----------
    X. Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models", TPAMI 2024, algorithm 1.
    """

    beta1: float = 0.98
    beta2: float = 0.92
    beta3: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    proximal: bool = True

    slots = ("m", "v", "n", "previous")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "beta3": "[0, 1)", "eps": "[0, inf)", "weight_decay": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        m, v, n, previous = state
        change = g - previous if t > 1 else 0.0 * g
        ahead = g + self.beta2 * change
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * change
        n = self.beta3 * n + (1 - self.beta3) * ahead * ahead
        push = m / (1 - self.beta1**t) + self.beta2 * (v / (1 - self.beta2**t))
        push = push / (math.sqrt(n / (1 - self.beta3**t)) + self.eps)
        decay = rate * self.weight_decay
        moved = (w - rate * push) / (1 + decay) if self.proximal else w - rate * push - decay * w
        return moved, (m, v, n, g)
