"""QHAdam: Adam with a share of the gradient itself in both of its means."""

import math
from typing import NamedTuple

from gdbench.kernels.optimizers.moments import moments


class QHAdam(NamedTuple):
    """w ← w − α(ν₁m̂ + (1 − ν₁)g) ⁄ (√(ν₂v̂ + (1 − ν₂)g²) + ε), with Adam's m̂ and v̂.

    Attributes
    ----------
    beta1, beta2, eps : float
        As in Adam.
    nu1, nu2 : float
        ν₁ and ν₂, the shares of the two means; 1 and 1 are Adam.

    References
    ----------
    J. Ma and D. Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", ICLR 2019, section 5.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    nu1: float = 0.7
    nu2: float = 1.0

    slots = ("m", "v")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)", "nu1": "[0, 1]", "nu2": "[0, 1]"}

    def step(self, w, g, state, rate, t):
        m, v = moments(self, g, state)
        push = self.nu1 * m / (1 - self.beta1**t) + (1 - self.nu1) * g
        square = self.nu2 * v / (1 - self.beta2**t) + (1 - self.nu2) * g * g
        return w - rate * push / (math.sqrt(square) + self.eps), (m, v)
