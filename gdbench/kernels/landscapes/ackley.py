"""Ackley's function: a funnel with ripples, flat far away and a cone at its minimum."""

import math
from typing import NamedTuple

import numpy as np


class Ackley(NamedTuple):
    """a(1 − e^(−bρ)) + e − e^γ, with ρ² the mean of xⱼ² and γ the mean of cos(cxⱼ).

    At the minimum the funnel's slope jumps from −ab⁄√d to ab⁄√d, so a constant learning rate circles it; the
    gradient there is given as 0.

    Attributes
    ----------
    a, b, c : float
        The funnel's depth and steepness; the frequency of the ripples.

    References
    ----------
    D. H. Ackley, A Connectionist Machine for Genetic Hillclimbing (1987).
    """

    a: float = 20.0
    b: float = 0.2
    c: float = 2.0 * math.pi

    limits = {"a": "[0, inf)", "b": "[0, inf)", "c": "[0, inf)"}
    dimension = None
    box = ((-32.768, 32.768),)
    start = (2.5, -1.5)
    source = "Ackley (1987)"

    def value(self, x):
        square, wave = 0.0, 0.0
        for xj in x:
            square += xj * xj
            wave += 1.0 - math.cos(self.c * xj)
        # expm1, as both differences cancel near the minimum
        return -self.a * math.expm1(-self.b * math.sqrt(square / x.size)) - math.e * math.expm1(-wave / x.size)

    def gradient(self, x, g):
        square, wave = 0.0, 0.0
        for xj in x:
            square += xj * xj
            wave += math.cos(self.c * xj)
        mean = math.sqrt(square / x.size)
        funnel = self.a * self.b * math.exp(-self.b * mean) / (mean * x.size) if mean > 0.0 else 0.0
        ripple = self.c * math.exp(wave / x.size) / x.size
        for j in range(x.size):
            g[j] = funnel * x[j] + ripple * math.sin(self.c * x[j])

    def minima(self, d):
        return [(np.zeros(d), 0.0)]
