"""Matyas's function: a shallow valley along the diagonal."""

from typing import NamedTuple

import numpy as np


class Matyas(NamedTuple):
    """0.26(x² + y²) − 0.48xy: a quadratic of condition 25, its valley along x = y.

    References
    ----------
    M. Jamil and X.-S. Yang, "A literature survey of benchmark functions for global optimisation problems",
    Int. J. Math. Model. Numer. Optim. 4 (2013), function 71.
    """

    dimension = 2
    box = ((-10.0, 10.0), (-10.0, 10.0))
    start = (8.0, -2.0)
    source = "Jamil and Yang (2013), function 71"

    def value(self, x):
        return 0.26 * (x[0] * x[0] + x[1] * x[1]) - 0.48 * x[0] * x[1]

    def gradient(self, x, g):
        g[0] = 0.52 * x[0] - 0.48 * x[1]
        g[1] = 0.52 * x[1] - 0.48 * x[0]

    def minima(self, d):
        return [(np.zeros(2), 0.0)]
