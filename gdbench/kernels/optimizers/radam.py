"""RAdam: Adam that waits until the variance of its rate is known."""

import math
from typing import NamedTuple


class RAdam(NamedTuple):
    """Adam's step times r_t once ρ_t passes the threshold, before that w ← w − α·m̂.

    ρ∞ = 2 ⁄ (1 − β₂) − 1; ρ_t = ρ∞ − 2tβ₂ᵗ ⁄ (1 − β₂ᵗ); r_t = √((ρ_t − 4)(ρ_t − 2)ρ∞ ⁄ ((ρ∞ − 4)(ρ∞ − 2)ρ_t)).

    Attributes
    ----------
    beta1, beta2, eps : float
        As in Adam.
    eps_before_correction : bool
        Add ε to √v before the correction, as PyTorch does; optax adds it after.
    threshold : float
        The ρ above which the rate is rectified: 5 in PyTorch and optax, 4 in the paper.

    References
    ----------
    L. Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020, algorithm 2.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_before_correction: bool = True
    threshold: float = 5.0

    slots = ("m", "v")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)", "threshold": "[4, inf)"}

    def step(self, w, g, state, rate, t):
        m, v = state
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        fade = self.beta2**t
        longest = 2 / (1 - self.beta2) - 1
        length = longest - 2 * t * fade / (1 - fade)
        ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        rectified = length > self.threshold
        eps = self.eps / math.sqrt(1 - fade) if self.eps_before_correction else self.eps
        mean = m / (1 - self.beta1**t)
        scale = math.sqrt(max(ratio, 0.0)) / (math.sqrt(v / (1 - fade)) + eps) if rectified else 1.0
        return w - rate * mean * scale, (m, v)
