"""The parabola: the first landscape of every course."""

from typing import NamedTuple

import numpy as np


class Parabola(NamedTuple):
    """Σ xⱼ²; gradient 2x. With α = 0.1 each step of gradient descent keeps 0.8 of x."""

    dimension = None
    box = ((-10.0, 10.0),)
    start = (10.0,)
    source = "the definition of a square"

    def value(self, x):
        total = 0.0
        for xj in x:
            total += xj * xj
        return total

    def gradient(self, x, g):
        for j in range(x.size):
            g[j] = 2.0 * x[j]

    def minima(self, d):
        return [(np.zeros(d), 0.0)]
