"""NAdamW: Nadam with weight decay beside the gradient instead of inside it."""

import math
from typing import NamedTuple


class NAdamW(NamedTuple):
    """w ← w − αλw, then Nadam's step.

    Attributes
    ----------
    beta1, beta2, eps, momentum_decay
        As in Nadam; optax's ``nadamw`` has a momentum of β₁ from the start, a ``momentum_decay`` of inf.
    weight_decay : float
        λ, decoupled as in AdamW (PyTorch's ``decoupled_weight_decay``).

    References
    ----------
    T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop; I. Loshchilov and F. Hutter, "Decoupled Weight
    Decay Regularization", ICLR 2019.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    momentum_decay: float = 0.004
    weight_decay: float = 0.01

    slots = ("m", "v", "product")
    limits = {
        "beta1": "[0, 1)",
        "beta2": "[0, 1)",
        "eps": "[0, inf)",
        "momentum_decay": "[0, inf]",
        "weight_decay": "[0, inf)",
    }

    def start(self):
        return (0.0, 0.0, 1.0)

    def step(self, w, g, state, rate, t):
        m, v, product = state
        now = self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))
        later = self.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * self.momentum_decay))
        product = product * now
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        ahead = later * m / (1 - product * later) + (1 - now) * g / (1 - product)
        kept = w - rate * self.weight_decay * w
        return kept - rate * ahead / (math.sqrt(v / (1 - self.beta2**t)) + self.eps), (m, v, product)
