"""Rastrigin's function: a bowl with a minimum beside every point of whole numbers."""

import math
from typing import NamedTuple

import numpy as np


class Rastrigin(NamedTuple):
    """Σ xⱼ² + a(1 − cos 2πxⱼ).

    Attributes
    ----------
    a : float
        The height of the ripples; 0 leaves the parabola.

    References
    ----------
    L. A. Rastrigin, Systems of Extremal Control (1974); H. Mühlenbein, M. Schomisch and J. Born, "The
    parallel genetic algorithm as function optimizer", Parallel Comput. 17 (1991), for any dimension.
    """

    a: float = 10.0

    limits = {"a": "[0, inf)"}
    dimension = None
    box = ((-5.12, 5.12),)
    start = (2.2, -1.3)
    source = "Rastrigin (1974); Mühlenbein et al. (1991)"

    def value(self, x):
        total = 0.0
        for xj in x:
            ripple = math.sin(math.pi * xj)
            total += xj * xj + 2.0 * self.a * ripple * ripple
        return total

    def gradient(self, x, g):
        for j in range(x.size):
            g[j] = 2.0 * x[j] + 2.0 * math.pi * self.a * math.sin(2.0 * math.pi * x[j])

    def minima(self, d):
        return [(np.zeros(d), 0.0)]
