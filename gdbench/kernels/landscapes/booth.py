"""Booth's function: a convex quadratic with a valley across the axes."""

from typing import NamedTuple

import numpy as np


class Booth(NamedTuple):
    """(x + 2y − 7)² + (2x + y − 5)².

    References
    ----------
    M. Jamil and X.-S. Yang, "A literature survey of benchmark functions for global optimisation problems",
    Int. J. Math. Model. Numer. Optim. 4 (2013), function 17.
    """

    dimension = 2
    box = ((-10.0, 10.0), (-10.0, 10.0))
    start = (-5.0, 8.0)
    source = "Jamil and Yang (2013), function 17"

    def value(self, x):
        p = x[0] + 2.0 * x[1] - 7.0
        q = 2.0 * x[0] + x[1] - 5.0
        return p * p + q * q

    def gradient(self, x, g):
        p = x[0] + 2.0 * x[1] - 7.0
        q = 2.0 * x[0] + x[1] - 5.0
        g[0] = 2.0 * p + 4.0 * q
        g[1] = 4.0 * p + 2.0 * q

    def minima(self, d):
        return [(np.array([1.0, 3.0]), 0.0)]
