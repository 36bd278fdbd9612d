"""AdEMAMix: Adam with a second, slow momentum beside the first."""

import math
from typing import NamedTuple


class AdEMAMix(NamedTuple):
    """w ← w − α((m̂ + a·n) ⁄ (√v̂ + ε) + λw), with Adam's m and v and a slow mean n ← β₃n + (1 − β₃)g.

    Attributes
    ----------
    beta1, beta2, eps : float
        As in Adam.
    beta3 : float
        β₃, the share of the slow mean that is kept; the mean is not corrected for its start.
    mix : float
        a, the weight of the slow mean (the paper's α). The paper and optax 5.
    warm_up : float
        T, the steps over which a grows from 0 in a line and β₃ from β₁ by its half-life; 0 for none, as in optax.
    weight_decay : float
        λ, decoupled as in AdamW.

    References
    ----------
    M. Pagliardini, P. Ablin and D. Grangier, "The AdEMAMix Optimizer: Better, Faster, Older", ICLR 2025, algorithm 1.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    beta3: float = 0.9999
    mix: float = 5.0
    eps: float = 1e-8
    warm_up: float = 0.0
    weight_decay: float = 0.0

    slots = ("m", "slow", "v")
    limits = {
        "beta1": "(0, 1)",
        "beta2": "[0, 1)",
        "beta3": "(0, 1)",
        "mix": "[0, inf)",
        "eps": "[0, inf)",
        "warm_up": "[0, inf)",
        "weight_decay": "[0, inf)",
    }

    def step(self, w, g, state, rate, t):
        m, slow, v = state
        beta3, mix = self.beta3, self.mix
        if t < self.warm_up:
            way, quick, late = t / self.warm_up, math.log(self.beta1), math.log(self.beta3)
            beta3 = min(math.exp(quick * late / ((1 - way) * late + way * quick)), self.beta3)
            mix = way * self.mix
        m = self.beta1 * m + (1 - self.beta1) * g
        slow = beta3 * slow + (1 - beta3) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        ahead = m / (1 - self.beta1**t) + mix * slow
        return w - rate * (ahead / (math.sqrt(v / (1 - self.beta2**t)) + self.eps) + self.weight_decay * w), (m, slow, v)
