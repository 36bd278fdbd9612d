"""AdaBelief: Adam over the variance of the gradient about its own running mean."""

import math
from typing import NamedTuple

from gdbench.kernels.optimizers.moments import running


class AdaBelief(NamedTuple):
    """m ← β₁m + (1 − β₁)g; s ← β₂s + (1 − β₂)(g − m)² + ε_root; w ← w − α(m̂ ⁄ (√ŝ + ε) + λw).

    m̂ = m ⁄ (1 − β₁ᵗ) and ŝ = s ⁄ (1 − β₂ᵗ).

    Attributes
    ----------
    beta1, beta2 : float
        β₁ and β₂, the shares of the two means that are kept.
    eps : float
        ε beside the root.
    eps_root : float
        ε added to s at every step, and kept there, as in the paper. The optimizer of the same name in pytorch-optimizer
        takes ``eps`` for both.
    weight_decay : float
        λ, decoupled as in AdamW.

    References
    ----------
    J. Zhuang et al., "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients", NeurIPS 2020, algorithm 2.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-16
    eps_root: float = 1e-16
    weight_decay: float = 0.0

    slots = ("m", "s")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)", "eps_root": "[0, inf)", "weight_decay": "[0, inf)"}

    def step(self, w, g, state, rate, t):
        m, s = state
        m = running(self.beta1, m, g)
        s = self.beta2 * s + (1 - self.beta2) * (g - m) * (g - m) + self.eps_root
        mean = m / (1 - self.beta1**t)
        return w - rate * (mean / (math.sqrt(s / (1 - self.beta2**t)) + self.eps) + self.weight_decay * w), (m, s)
