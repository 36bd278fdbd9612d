"""Levy's function: ripples across a valley, in any dimension."""

import math
from typing import NamedTuple

import numpy as np


class Levy(NamedTuple):
    """sin²(πu₁) + Σ_{j<d} (uⱼ − 1)²(1 + 10 sin²(πuⱼ + 1)) + (u_d − 1)²(1 + sin²(2πu_d)).

    Here u = 1 + (x − 1)⁄4.

    References
    ----------
    A. V. Levy and A. Montalvo, "The tunneling algorithm for the global minimization of functions", SIAM J.
    Sci. Stat. Comput. 6 (1985); in this form M. Laguna and R. Martí, "Experimental testing of advanced
    scatter search designs for global optimization of multimodal functions", J. Glob. Optim. 33 (2005).
    """

    dimension = None
    box = ((-10.0, 10.0),)
    start = (-4.0, 5.0)
    source = "Levy and Montalvo (1985); Laguna and Martí (2005)"

    def value(self, x):
        d = x.size
        wave = math.sin(0.25 * math.pi * (x[0] - 1.0))  # −sin(πu₁), and exact at the minimum
        total = wave * wave
        for j in range(d - 1):
            away = 0.25 * (x[j] - 1.0)
            ripple = math.sin(math.pi * (1.0 + away) + 1.0)
            total += away * away * (1.0 + 10.0 * ripple * ripple)
        away = 0.25 * (x[d - 1] - 1.0)
        ripple = math.sin(2.0 * math.pi * away)
        return total + away * away * (1.0 + ripple * ripple)

    def gradient(self, x, g):
        d = x.size
        for j in range(d - 1):
            away = 0.25 * (x[j] - 1.0)
            phase = math.pi * (1.0 + away) + 1.0
            ripple = math.sin(phase)
            slope = 10.0 * math.pi * math.sin(2.0 * phase)
            g[j] = 0.25 * (2.0 * away * (1.0 + 10.0 * ripple * ripple) + away * away * slope)
        away = 0.25 * (x[d - 1] - 1.0)
        ripple = math.sin(2.0 * math.pi * away)
        slope = 2.0 * math.pi * math.sin(4.0 * math.pi * away)
        g[d - 1] = 0.25 * (2.0 * away * (1.0 + ripple * ripple) + away * away * slope)
        g[0] += 0.25 * math.pi * math.sin(0.5 * math.pi * (x[0] - 1.0))

    def minima(self, d):
        return [(np.ones(d), 0.0)]
