"""Logistic loss, the cross-entropy of two classes."""

from typing import NamedTuple

from gdbench.kernels.elementary import exp_below, log_one_plus


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
        return log_one_plus(exp_below(-abs(m))) + max(-m, 0.0)

    def derivative(self, z, y):
        m = y * z
        e = exp_below(-abs(m))
        return -y * (e if m > 0.0 else 1.0) / (1.0 + e)

    def curvature(self, z, y):
        e = exp_below(-abs(z))
        return e / ((1.0 + e) * (1.0 + e))
