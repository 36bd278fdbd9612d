"""Yogi: Adam whose mean square moves by a bounded amount."""

import math
from typing import NamedTuple

from gdbench.kernels.optimizers.moments import running


class Yogi(NamedTuple):
    """Adam with v ← v − (1 − β₂)·sign(v − g²)·g² in place of the running mean square.

    Attributes
    ----------
    beta1, beta2 : float
        As in Adam.
    eps : float
        ε beside the root.
    initial : float
        m and v before the first step, as in optax; the paper starts v there and m at zero.
    corrected : bool
        Correct both for their start as Adam does (optax); the paper's algorithm does not.

    References
    ----------
    M. Zaheer et al., "Adaptive Methods for Nonconvex Optimization", NeurIPS 2018, algorithm 2.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-3
    initial: float = 1e-6
    corrected: bool = True

    slots = ("m", "v")
    limits = {"beta1": "[0, 1)", "beta2": "[0, 1)", "eps": "[0, inf)", "initial": "[0, inf)"}

    def start(self):
        return (self.initial, self.initial)

    def step(self, w, g, state, rate, t):
        m, v = state
        m = running(self.beta1, m, g)
        square = g * g
        sign = 1.0 if v > square else -1.0 if v < square else v - square  # 0, or NaN, which must show
        v = v - (1 - self.beta2) * sign * square
        c1 = 1 - self.beta1**t if self.corrected else 1.0
        c2 = 1 - self.beta2**t if self.corrected else 1.0
        return w - rate * (m / c1) / (math.sqrt(max(v, 0.0) / c2) + self.eps), (m, v)
