"""Nadam: Adam with Nesterov's look-ahead."""

import math
from typing import NamedTuple

from gdbench.kernels.compile.jit import inlined
from gdbench.kernels.optimizers.moments import moments


@inlined
def nadam_quotient(rule, g, state, t):
    """The mean looked ahead, what it is divided by, and the new state."""
    product = state[2]
    now = rule.beta1 * (1 - 0.5 * 0.96 ** (t * rule.momentum_decay))
    later = rule.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * rule.momentum_decay))
    product = product * now
    m, v = moments(rule, g, state[:2])
    ahead = later * m / (1 - product * later) + (1 - now) * g / (1 - product)
    return ahead, math.sqrt(v / (1 - rule.beta2**t)) + rule.eps, (m, v, product)


class Nadam(NamedTuple):
    """w ← w − α·(μ_{t+1}·m ⁄ (1 − Πμ·μ_{t+1}) + (1 − μ_t)·g ⁄ (1 − Πμ)) ⁄ (√v̂ + ε), with Adam's m and v.

    μ_t = β₁(1 − ½·0.96^(tψ)) warms the momentum up, and Πμ is the product of μ₁ … μ_t.

    Attributes
    ----------
    beta1, beta2, eps : float
        As in Adam.
    momentum_decay : float
        ψ, the pace of the warm-up. The report and PyTorch 0.004, Keras 1; inf for optax, whose momentum is β₁ from
        the start.

    References
    ----------
    T. Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop; and its technical report.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    momentum_decay: float = 0.004

    slots = ("m", "v", "product")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)", "momentum_decay": "[0, inf]"}

    def start(self):
        return (0.0, 0.0, 1.0)

    def step(self, w, g, state, rate, t):
        ahead, divisor, state = nadam_quotient(self, g, state, t)
        return w - rate * ahead / divisor, state
