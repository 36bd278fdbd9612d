"""ADOPT: Adam that divides by the mean square of the steps before, which converges for every β₂."""

import math
from typing import NamedTuple


class ADOPT(NamedTuple):
    """m ← β₁m + (1 − β₁)·clip(g ⁄ max(√v, ε), ±c); w ← w − αm − αλw; v ← β₂v + (1 − β₂)g².

    The first step only sets v = g²; c = (t − 1)^p.

    Attributes
    ----------
    beta1, beta2 : float
        β₁ and β₂, the shares of the two means that are kept.
    eps : float
        ε, the least divisor.
    clip_power : float
        p, by whose power of the number of steps before the bound grows (the authors' code and optax: 0.25).
    clipped : bool
        Whether the quotient is bounded; the paper's algorithm 2 does not.
    weight_decay : float
        λ, decoupled as in AdamW.

    References
    ----------
    S. Taniguchi et al., "ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate", NeurIPS 2024, algorithm 2.
    """

    beta1: float = 0.9
    beta2: float = 0.9999
    eps: float = 1e-6
    clip_power: float = 0.25
    clipped: bool = True
    weight_decay: float = 0.0

    slots = ("m", "v")
    limits = {
        "beta1": "[0, 1)",
        "beta2": "[0, 1)",
        "eps": "(0, inf)",
        "clip_power": "[0, inf)",
        "weight_decay": "[0, inf)",
    }

    def step(self, w, g, state, rate, t):
        m, v = state
        first = t <= 1
        scaled = g / max(math.sqrt(v), self.eps)
        bound = (t - 1) ** self.clip_power
        scaled = min(max(scaled, -bound), bound) if self.clipped else scaled
        m = m if first else self.beta1 * m + (1 - self.beta1) * scaled
        v = g * g if first else self.beta2 * v + (1 - self.beta2) * g * g
        return w - rate * (m + self.weight_decay * w), (m, v)
