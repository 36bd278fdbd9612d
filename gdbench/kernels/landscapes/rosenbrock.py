"""Rosenbrock's banana: a curved valley that is easy to enter and slow to follow."""

from typing import NamedTuple

import numpy as np


class Rosenbrock(NamedTuple):
    """Σ b(x_{j+1} − x_j²)² + (a − x_j)².

    Attributes
    ----------
    a, b : float
        The minimum is at (a, a², ...) for two dimensions; b is the steepness of the valley's walls.

    References
    ----------
    H. H. Rosenbrock, "An automatic method for finding the greatest or least value of a function", Comput. J.
    3 (1960).
    """

    a: float = 1.0
    b: float = 100.0

    dimension = None
    least = 2
    box = ((-2.0, 2.0), (-1.0, 3.0))
    start = (-1.2, 1.0)
    source = "Rosenbrock (1960)"

    def value(self, x):
        total = 0.0
        for j in range(x.size - 1):
            bend = x[j + 1] - x[j] * x[j]
            total += self.b * bend * bend + (self.a - x[j]) * (self.a - x[j])
        return total

    def gradient(self, x, g):
        g[:] = 0.0
        for j in range(x.size - 1):
            bend = x[j + 1] - x[j] * x[j]
            g[j] += -4.0 * self.b * bend * x[j] - 2.0 * (self.a - x[j])
            g[j + 1] += 2.0 * self.b * bend

    def minima(self, d):
        return [(np.array([self.a, self.a * self.a]), 0.0)] if d == 2 else [(np.ones(d), 0.0)] if self.a == 1.0 else []
