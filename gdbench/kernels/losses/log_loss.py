"""Logistic loss, the cross-entropy of two classes."""

import math
from typing import NamedTuple


class LogLoss(NamedTuple):
    """log(1 + e^(−yz)) for y = ±1; derivative −y ⁄ (1 + e^(yz)).

    Both are computed from e^(−|yz|) ≤ 1, so that no margin overflows.
    """

    name = "log_loss"
    domain = "sign"
    link = "logit"
    smoothness = 0.25

    def value(self, z, y):
        m = y * z
        return math.log1p(math.exp(-abs(m))) + max(-m, 0.0)

    def derivative(self, z, y):
        m = y * z
        e = math.exp(-abs(m))
        return -y * (e if m > 0.0 else 1.0) / (1.0 + e)

    def curvature(self, z, y):
        e = math.exp(-abs(z))
        return e / ((1.0 + e) * (1.0 + e))
