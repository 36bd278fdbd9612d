"""Beale's function: a flat valley between steep corners."""

from typing import NamedTuple

import numpy as np


class Beale(NamedTuple):
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)².

    References
    ----------
    E. M. L. Beale, "On an iterative method for finding a local minimum of a function of more than one
    variable", technical report 25, Princeton (1958); J. J. Moré, B. S. Garbow and K. E. Hillstrom, "Testing
    Unconstrained Optimization Software", ACM Trans. Math. Softw. 7 (1981), problem 5.
    """

    dimension = 2
    box = ((-4.5, 4.5), (-4.5, 4.5))
    start = (1.0, 1.0)
    source = "Beale (1958)"

    def value(self, x):
        a, b = x[0], x[1]
        r1 = 1.5 - a + a * b
        r2 = 2.25 - a + a * b * b
        r3 = 2.625 - a + a * b * b * b
        return r1 * r1 + r2 * r2 + r3 * r3

    def gradient(self, x, g):
        a, b = x[0], x[1]
        r1 = 1.5 - a + a * b
        r2 = 2.25 - a + a * b * b
        r3 = 2.625 - a + a * b * b * b
        g[0] = 2.0 * (r1 * (b - 1.0) + r2 * (b * b - 1.0) + r3 * (b * b * b - 1.0))
        g[1] = 2.0 * a * (r1 + 2.0 * b * r2 + 3.0 * b * b * r3)

    def minima(self, d):
        return [(np.array([3.0, 0.5]), 0.0)]

    def saddles(self, d):
        return [(np.array([0.0, 1.0]), 14.203125)]
