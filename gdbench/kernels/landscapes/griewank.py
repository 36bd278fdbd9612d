"""Griewank's function: a wide bowl under a product of waves."""

import math
from typing import NamedTuple

import numpy as np


class Griewank(NamedTuple):
    """1 + Σ xⱼ²⁄4000 − Π cos(xⱼ⁄√j), with j from 1.

    References
    ----------
    A. O. Griewank, "Generalized descent for global optimization", J. Optim. Theory Appl. 34 (1981).
    """

    dimension = None
    box = ((-50.0, 50.0),)
    start = (6.0, -8.0)
    source = "Griewank (1981)"

    def value(self, x):
        total, product = 0.0, 1.0
        for j in range(x.size):
            total += x[j] * x[j] / 4000.0
            product *= math.cos(x[j] / math.sqrt(j + 1.0))
        return total + 1.0 - product

    def gradient(self, x, g):
        before = 1.0
        for j in range(x.size):
            g[j] = before
            before *= math.cos(x[j] / math.sqrt(j + 1.0))
        after = 1.0
        for j in range(x.size - 1, -1, -1):
            root = math.sqrt(j + 1.0)
            g[j] = x[j] / 2000.0 + g[j] * after * math.sin(x[j] / root) / root
            after *= math.cos(x[j] / root)

    def minima(self, d):
        return [(np.zeros(d), 0.0)]
